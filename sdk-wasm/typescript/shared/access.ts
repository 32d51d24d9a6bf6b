/** Who may do what, and where a tenant stands in a rollout. */
import { engine } from './current.js'
import { asking, attempt } from './error.js'
import type { AccessQuestion, Action, Decision, Document, Principal, Resource } from './types.js'
import { isBytes, toSource, toText, write } from './write.js'

/** Whether somebody may do something, and why. What is malformed is an error, never a decision. */
export function can(principal: Document<Principal>, action: Action, resource?: Document<Resource>): Decision
/** The same of a question as one document. */
export function can(question: Document<AccessQuestion>): Decision
export function can(...asked: [principal: unknown, action?: unknown, resource?: unknown]): Decision {
  const question = asked.length === 1 ? toSource(asked[0]) : writeQuestion(...asked)
  return JSON.parse(asking(() => engine().can(question)))
}

function writeQuestion(principal: unknown, action?: unknown, resource: unknown = {}): string {
  const members = [
    ['principal', document(principal, '/principal')],
    ['action', action === undefined ? action : write(action, '/action', 1)],
    ['resource', document(resource, '/resource')],
  ]
  return `{${members.filter(([, text]) => text !== undefined).map(([name, text]) => `"${name}":${text}`)}}`
}

/** Where a tenant stands in a flag's rollout: whole hundredths, 0 to 9999. */
export function rolloutPosition(tenantId: string, key: string): number {
  return engine().rolloutPosition(toText(tenantId, '/tenantId'), toText(key, '/key'))
}

/** A part of the request. A text stands in it as it is, and must be one whole JSON value, not something that goes on around it. */
function document(value: unknown, path: string): string | undefined {
  if (value === undefined) return
  if (typeof value !== 'string' && !isBytes(value)) return write(value, path, 1)
  const text = typeof value === 'string' ? toText(value, path) : attempt('invalid_utf8', path, () => decoder.decode(value))
  attempt('invalid_json', path, () => JSON.parse(text))
  return text
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
