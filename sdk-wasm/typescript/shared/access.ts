/** Authorization decisions, and the position of a tenant in a rollout. */
import { engine } from './current.js'
import { attempt, callEngine } from './error.js'
import type { AccessQuestion, Action, Decision, Document, Principal, Resource } from './types.js'
import { isBytes, toSource, toText, write } from './write.js'

/**
 * Decides whether a principal may perform an action, and why. Malformed input throws a
 * `DezkyError`; it never yields a decision.
 *
 * @example
 * can(principal, 'tenant.update', { tenantId: 't1', fields: ['name'] })
 * // { allowed: true, reason: 'allowed_tenant_admin' }
 */
export function can(principal: Document<Principal>, action: Action, resource?: Document<Resource>): Decision
/** Decides a request that is one document with `principal`, `action` and `resource`. */
export function can(request: Document<AccessQuestion>): Decision
export function can(...parts: [principal: unknown, action?: unknown, resource?: unknown]): Decision {
  const request = parts.length === 1 ? toSource(parts[0]) : writeRequest(...parts)
  return JSON.parse(callEngine(() => engine().can(request)))
}

function writeRequest(principal: unknown, action?: unknown, resource: unknown = {}): string {
  const members = [
    ['principal', document(principal, '/principal')],
    ['action', action === undefined ? action : write(action, '/action', 1)],
    ['resource', document(resource, '/resource')],
  ]
  return `{${members.filter(([, text]) => text !== undefined).map(([name, text]) => `"${name}":${text}`)}}`
}

/** Returns the position of a tenant in a flag's rollout, in hundredths of a percent: 0 to 9999. */
export function rolloutPosition(tenantId: string, key: string): number {
  return engine().rolloutPosition(toText(tenantId, '/tenantId'), toText(key, '/key'))
}

/**
 * Encodes one part of the request. Text is embedded unchanged, so it must parse as exactly one JSON
 * value; otherwise it could alter the document around it.
 */
function document(value: unknown, path: string): string | undefined {
  if (value === undefined) return
  if (typeof value !== 'string' && !isBytes(value)) return write(value, path, 1)
  const text = typeof value === 'string' ? toText(value, path) : attempt('invalid_utf8', path, () => decoder.decode(value))
  attempt('invalid_json', path, () => JSON.parse(text))
  return text
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
