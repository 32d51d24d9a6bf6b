/** The one error that callers see, and how it comes about. */
import type { Code, Problem } from './types.js'

/** What is wrong with an input: `code` and `path` are those of the first problem, `errors` has all of them, 100 at most. */
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

/** Where a value stands: a JSON Pointer, or a member of what stands there. Only a problem makes a text of it. */
export type Path = string | { readonly path: Path; readonly name: string | number }

const toPointer = (path: Path): string =>
  typeof path === 'string' ? path : `${toPointer(path.path)}/${String(path.name).replaceAll('~', '~0').replaceAll('/', '~1')}`

export function fail(code: Code, path: Path = ''): never {
  throw new DezkyError([{ code, path: toPointer(path), message: code.replaceAll('_', ' ') }])
}

/** Asks an engine; the problems that it throws become a DezkyError. */
export function asking<Answer>(ask: () => Answer): Answer {
  try {
    return ask()
  } catch (thrown) {
    const text: unknown = thrown instanceof Error ? thrown.message : thrown
    if (typeof text === 'string' && text.startsWith('[{')) throw new DezkyError(JSON.parse(text))
    throw thrown
  }
}

/** Does what may throw anything, which then counts as one problem. */
export function attempt<Value>(code: Code, path: Path, act: () => Value): Value {
  try {
    return act()
  } catch {
    return fail(code, path)
  }
}
