/** The interface of all measured engines, Dezky's and the peers'. */

/**
 * An engine. Each file of `engines/` has a `load(text)` that returns one or a promise of one.
 *
 * - `subject` builds the representation of a tenant, which is reused.
 * - `isEnabled` evaluates one flag by name.
 * - `resolve` returns the answers of a tenant to read later.
 * - `all` is the engine's own way to evaluate all flags, if it is the fastest.
 * - `release` frees the resources of the engine.
 *
 * @typedef {object} Engine
 * @property {(tenant: import('./workload.mjs').Tenant) => any} subject
 * @property {(key: string, subject: any) => boolean} isEnabled
 * @property {(subject: any) => { isEnabled(key: string): boolean }} [resolve]
 * @property {All} [all]
 * @property {() => unknown} [release]
 *
 * @callback All writes 0 or 1 for each key
 * @param {any} subject
 * @param {readonly string[]} keys
 * @param {Uint8Array} answers
 * @returns {void | Promise<void>}
 */

/** Returns the fastest way to evaluate all flags. @param {Engine} engine @returns {All} */
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
