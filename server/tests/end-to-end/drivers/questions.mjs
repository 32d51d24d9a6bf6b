// The questions to a TypeScript client, shared by Node and the page.

/** Reports every event of a client, and returns a function that answers questions about it. */
export function questions(client, say, now) {
  let watched
  for (const name of ['ready', 'change', 'stale', 'error'])
    client.on(name, (event) => {
      const { digest } = client.ruleset
      say({ ...event, event: name, digest, enabled: watched && client.isEnabled(...watched), at: now() })
    })
  return async ({ ask, subjects, subject, key, slug }) => {
    const rules = client.ruleset
    const { digest, revision } = rules
    if (ask === 'clock') return { at: now() }
    if (ask === 'state') return { status: client.status, revision, digest }
    if (ask === 'evaluate') {
      const flags = subjects.map((each) => Object.fromEntries(rules.keys.map((name) => [name, rules.forTenant(each).isEnabled(name)])))
      return { digest, revision, flags, fingerprint: rules.fingerprint(subjects) }
    }
    if (ask === 'subject') return client.subject(slug).then((found) => ({ subject: found }), ({ code }) => ({ code }))
    if (ask === 'explain') return { explanation: rules.forTenant(subject).explain(key) }
    if (ask === 'watch') return (watched = [key, subject]), {}
    if (ask === 'close') return client.close(), { status: client.status }
    throw new Error(`unknown question ${ask}`)
  }
}
