/** Encodes JavaScript values as documents, strictly: coerces nothing and drops nothing silently. */
import type { Source } from './engine.js'
import { attempt, fail, type Path } from './error.js'

/** Core's limits on nesting and document size, which bound the work here; core checks again. */
const DEPTH = 32
const LENGTH = 2 ** 26

/**
 * Encodes a document: passes text and bytes through, writes other values as JSON. A detached buffer
 * is empty text.
 */
export function toSource(value: unknown, path: Path = ''): Source {
  return typeof value === 'string' ? toText(value, path) : isBytes(value) ? (value.length ? value : '') : write(value, path)
}

export function toText(value: unknown, path: Path): string {
  if (typeof value !== 'string') return fail('wrong_type', path)
  if (value.length > LENGTH) fail('document_too_large')
  return value.isWellFormed() ? value : fail('invalid_utf8', path)
}

/** Recognizes a `Uint8Array`, also one from another realm (a test runner, an iframe). */
export const isBytes = (value: unknown): value is Uint8Array =>
  ArrayBuffer.isView(value) && (value as Uint8Array)[Symbol.toStringTag] === 'Uint8Array'

/** Writes a value as JSON: own members only, and without members that are undefined. */
export function write(value: unknown, path: Path, depth = 0): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'bigint' || Number.isFinite(value)) return String(value)
  if (typeof value === 'string') return JSON.stringify(toText(value, path))
  if (typeof value !== 'object') return fail('wrong_type', path)
  if (depth === DEPTH) fail('too_deep')

  const object = value as Record<string | number, unknown>
  let text = ''
  const append = (name: string | number, before: string) => {
    const memberPath = { path, name }
    const member = attempt('unreadable', memberPath, () => (Object.hasOwn(object, name) ? object[name] : undefined))
    if (before && member === undefined) return
    text += `,${before}${write(member, memberPath, depth + 1)}`
    if (text.length > LENGTH) fail('document_too_large')
  }
  if (attempt('unreadable', path, () => Array.isArray(object))) {
    for (let at = 0; attempt('unreadable', path, () => at < (object as unknown as unknown[]).length); at++) append(at, '')
    return `[${text.slice(1)}]`
  }
  const names = attempt('unreadable', path, () => (isPlain(object) ? Object.keys(object) : undefined)) ?? fail('wrong_type', path)
  for (const name of names) append(name, `${JSON.stringify(toText(name, path))}:`)
  return `{${text.slice(1)}}`
}

/** Returns whether an object is no class instance. Objects of other realms count as plain. */
function isPlain(object: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(object)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}
