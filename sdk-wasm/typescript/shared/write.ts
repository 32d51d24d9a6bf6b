/** Host values to documents, strictly: nothing is coerced, and nothing is left out in silence. */
import type { Source } from './engine.js'
import { attempt, fail, type Path } from './error.js'

/** Core's levels of nesting, and its largest document: bounds on the work done here. Core judges every document by its own limits. */
const DEPTH = 32
const LENGTH = 2 ** 26

/** A document as an engine takes it: text and bytes as they are, any other value written as JSON. Bytes whose buffer is gone are none. */
export function toSource(value: unknown, path: Path = ''): Source {
  return typeof value === 'string' ? toText(value, path) : isBytes(value) ? (value.length ? value : '') : write(value, path)
}

export function toText(value: unknown, path: Path): string {
  if (typeof value !== 'string') return fail('wrong_type', path)
  if (value.length > LENGTH) fail('document_too_large')
  return value.isWellFormed() ? value : fail('invalid_utf8', path)
}

/** Also true of bytes from another realm, such as a test runner's. */
export const isBytes = (value: unknown): value is Uint8Array =>
  ArrayBuffer.isView(value) && (value as Uint8Array)[Symbol.toStringTag] === 'Uint8Array'

/** A value as JSON text: its own members, not those of a prototype. A member that is undefined is absent. */
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

/** No instance of a class; objects of another realm have another `Object.prototype`. */
function isPlain(object: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(object)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}
