/** What every engine measured here is asked to do, ours through the same door as the peers. */

/**
 * @typedef {object} Engine one for each file of `engines/`, whose `load(text)` gives it, or a promise of it
 * @property {(tenant: import('./workload.mjs').Tenant) => any} subject what it wants to know about a tenant, made once and reused
 * @property {(key: string, subject: any) => boolean} isEnabled one flag by name
 * @property {(subject: any) => { isEnabled(key: string): boolean }} [resolve] a tenant's answers, to be read later
 * @property {All} [all] its own way to have all flags at once, where that is the quickest
 * @property {() => unknown} [release] gives back what it holds
 *
 * @callback All writes 0 or 1 for each key
 * @param {any} subject
 * @param {readonly string[]} keys
 * @param {Uint8Array} answers
 * @returns {void | Promise<void>}
 */

/** All flags of a tenant, the quickest way that the engine has. @param {Engine} engine @returns {All} */
export function allOf(engine) {
  if (engine.all) return engine.all;
  if (engine.resolve) {
    return (subject, keys, answers) => {
      const flags = engine.resolve(subject);
      for (let index = 0; index < keys.length; index++) answers[index] = flags.isEnabled(keys[index]) ? 1 : 0;
    };
  }
  return (subject, keys, answers) => {
    for (let index = 0; index < keys.length; index++) answers[index] = engine.isEnabled(keys[index], subject) ? 1 : 0;
  };
}
