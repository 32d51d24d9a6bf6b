/** The error class of both packages, and the functions that throw it. */
import type { Code, Problem } from './types.js'

/**
 * An invalid input, or another failure that callers can handle by its code. `code` and `path`
 * describe the first problem; `errors` lists up to 100 problems.
 */
export class DezkyError extends Error {
  readonly code: Code
  readonly path: string
  readonly errors: readonly Problem[]

  constructor(errors: readonly [Problem, ...Problem[]]) {
    const { code, path, message } = errors[0]
    super(`${code} at "${path}": ${message}`)
    this.name = 'DezkyError'
    this.code = code
    this.path = path
    this.errors = errors
  }
}

/**
 * The path of a value: a JSON Pointer, or a member name below another path. It becomes a string
 * only when a problem is reported.
 */
export type Path = string | { readonly path: Path; readonly name: string | number }

const toPointer = (path: Path): string =>
  typeof path === 'string' ? path : `${toPointer(path.path)}/${String(path.name).replaceAll('~', '~0').replaceAll('/', '~1')}`

export function fail(code: Code, path: Path = ''): never {
  throw new DezkyError([{ code, path: toPointer(path), message: code.replaceAll('_', ' ') }])
}

/** Calls an engine and converts the problems that it throws to a `DezkyError`. */
export function callEngine<Answer>(call: () => Answer): Answer {
  try {
    return call()
  } catch (thrown) {
    const text: unknown = thrown instanceof Error ? thrown.message : thrown
    if (typeof text === 'string' && text.startsWith('[{')) throw new DezkyError(JSON.parse(text))
    throw thrown
  }
}

/** Calls a function that can throw anything, and reports any throw as one problem. */
export function attempt<Value>(code: Code, path: Path, act: () => Value): Value {
  try {
    return act()
  } catch {
    return fail(code, path)
  }
}
