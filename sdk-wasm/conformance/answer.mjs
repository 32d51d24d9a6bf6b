// Answers one request of the conformance suite, on any JavaScript runtime.

/** @param sdk the exports of the package under test, and `hello`: the name and version to report */
export function answer(sdk, line) {
  const { id, operation, input } = membersOf(line)
  try {
    return `{"id":${id},"value":${toJson(operations[JSON.parse(operation)](sdk, membersOf(input), input))}}`
  } catch (error) {
    if (!(error instanceof sdk.DezkyError)) throw error
    return `{"id":${id},"errors":${JSON.stringify(error.errors.map(({ code, path }) => ({ code, path })))}}`
  }
}

const operations = {
  hello: ({ hello }) => hello,
  position: ({ rolloutPosition }, { tenantId, key }) => rolloutPosition(JSON.parse(tenantId), JSON.parse(key)),
  snapshot({ Ruleset, validate }, input) {
    const { digest, revision, environment, keys } = Ruleset.fromSnapshot(sourceOf(input.snapshot))
    const canonical = JSON.stringify(canonicalOf(validate, sourceOf(input.snapshot)))
    return { canonical, digest, revision, environment, keys }
  },
  explain({ Ruleset }, input) {
    const rules = Ruleset.fromSnapshot(sourceOf(input.snapshot))
    const keys = JSON.parse(input.keys ?? 'null') ?? rules.keys
    const tenants = itemsOf(input.subjects).map((subject) => rules.forTenant(subject))
    return tenants.map((flags) => keys.map((key) => flags.explain(key)))
  },
  evaluate({ Ruleset }, input) {
    const rules = Ruleset.fromSnapshot(sourceOf(input.snapshot))
    const tenants = itemsOf(input.subjects).map((subject) => rules.forTenant(subject))
    return tenants.map((flags) => rules.keys.map((key) => Number(flags.isEnabled(key))).join(''))
  },
  fingerprint({ Ruleset }, input) {
    const rules = Ruleset.fromSnapshot(sourceOf(input.snapshot))
    // Check each subject alone first: the suite expects error paths within the subject.
    for (const subject of itemsOf(input.subjects)) rules.forTenant(subject)
    return rules.fingerprint(input.subjects)
  },
  decide({ can }, { principal, action, resource, ...special }, input) {
    if (Object.keys(special).some((name) => name.startsWith('$'))) return can(sourceOf(input))
    return can(principal, action && JSON.parse(action), resource)
  },
  plan: ({ World }, input) => World.fromJson(sourceOf(input.world)).plan(sourceOf(input.edit)),
  ladder: ({ World }, input) => World.fromJson(sourceOf(input.world)).ladder(JSON.parse(input.key)),
  counts: ({ World }, input) => World.fromJson(sourceOf(input.world)).counts(JSON.parse(input.key)),
  model({ validate, DezkyError }, input) {
    const { ok, errors } = validate[JSON.parse(input.kind)](sourceOf(input.document))
    if (errors) throw new DezkyError(errors)
    return ok
  },
}

/**
 * Returns a snapshot's canonical form. Removes unknown members, which `validate` rejects and
 * `fromSnapshot` ignores.
 */
function canonicalOf(validate, source) {
  const { ok, errors } = validate.snapshot(source)
  if (ok) return ok
  const document = JSON.parse(typeof source === 'string' ? source : new TextDecoder().decode(source))
  for (const { code, path } of errors) {
    if (code !== 'unknown_field') throw new Error(`${code} at ${path} of a snapshot that fromSnapshot accepted`)
    const names = path.split('/').slice(1).map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'))
    const last = names.pop()
    delete names.reduce((value, name) => value[name], document)[last]
  }
  return canonicalOf(validate, JSON.stringify(document))
}

/** Returns a document unchanged from the request, or decodes one of the special forms. */
function sourceOf(text) {
  if (!/^\{\s*"\$/.test(text)) return text
  const { $text, $hex, $repeat } = JSON.parse(text)
  if ($repeat) return $repeat[0].repeat($repeat[1])
  return $text ?? Uint8Array.from($hex.match(/../g) ?? [], (digits) => parseInt(digits, 16))
}

const membersOf = (text) => Object.fromEntries(partsOf(text))
const itemsOf = (text) => partsOf(text).map(([, item]) => item)

/** Splits an object into its members, or a list into its items, as unparsed JSON text. */
function partsOf(text) {
  const parts = []
  let depth = 0
  let from = 0
  let name
  for (const { 0: token, index } of text.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"|[[\]{}:,]/g)) {
    const closes = token === '}' || token === ']'
    if (depth === 1 && (closes || token === ',')) {
      const part = text.slice(from, index).trim()
      if (part) parts.push([name, part])
    }
    if (token === '{' || token === '[') depth++
    if (closes) depth--
    if (depth === 1 && token === ':') name = JSON.parse(text.slice(from, index))
    if (depth === 1 && !closes && token.length === 1) from = index + 1
  }
  return parts
}

/** Writes JSON with bigint values as digits. */
function toJson(value) {
  if (typeof value === 'bigint') return String(value)
  if (Array.isArray(value)) return `[${value.map(toJson)}]`
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  return `{${Object.entries(value).map(([name, member]) => `${JSON.stringify(name)}:${toJson(member)}`)}}`
}
