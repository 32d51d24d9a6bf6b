/** The options of `connect`, and their validation. */
import type { Document } from '../types.js'
import { nearest } from '../nearest.js'
import { ClientError } from './client-error.js'
import type { Platform } from './platform.js'

/** Times are in milliseconds. */
export interface ConnectOptions {
  /**
   * The server's base URL. It must use https, or http with a loopback address. Its path is kept as
   * a prefix.
   */
  readonly url: string
  /** A machine key or an access token, or a function that returns one for each request. */
  readonly key: string | (() => string | Promise<string>)
  /**
   * The slug of a tenant. The client then follows the slice of this tenant, instead of the whole
   * snapshot.
   */
  readonly tenant?: string | undefined
  /** A snapshot to start with, so that `connect` does not wait for the server. */
  readonly snapshot?: Document<object> | undefined
  /**
   * The path of the last-known-good file, in Node only. The client writes it after each change, and
   * reads it at the start: to use it when the server does not answer, and to reject older
   * revisions.
   */
  readonly file?: string | undefined
  /** The longest time that `connect` takes. The default is 5,000. */
  readonly deadline?: number | undefined
  /**
   * The behavior when no rules arrived before the deadline, or when the server refuses the key:
   * `connect` fails (`fail`), the client starts from the file (`file`), or it starts with every
   * flag off (`off`). With `file`, an unreachable server ends the wait at once. The default is
   * `file` if a file is given, otherwise `fail`.
   */
  readonly pastDeadline?: 'fail' | 'file' | 'off' | undefined
  /**
   * The time without a confirmation by the server after which rules are stale. The default is
   * 60,000.
   */
  readonly staleAfter?: number | undefined
  /**
   * The longest wait between two attempts. The default is 30,000. While the server refuses the key,
   * the limit is twice as long.
   */
  readonly maxBackoff?: number | undefined
  /**
   * The name of this instance: 1 to 64 of A-Z, a-z, 0-9, _, . and -. The server lists instances
   * under their names. The default is a random name.
   */
  readonly instance?: string | undefined
  /** Allows plain http to other machines, although anyone on the way can then read the key. */
  readonly allowHttp?: boolean | undefined
  /** Intervals and timeouts for tests. */
  readonly timing?: { readonly [time in keyof Timing]?: number | undefined } | undefined
}

/** Intervals and timeouts that only tests change, in milliseconds. */
export interface Timing {
  /** The interval between two conditional requests, with jitter: 30,000. */
  readonly pollInterval: number
  /** The first backoff after a failure: 250. */
  readonly minBackoff: number
  /** The timeout of a request, from asking for its key to the last byte of its response: 10,000. */
  readonly requestTimeout: number
  /** The longest silence on a stream before it is closed: 40,000. */
  readonly silence: number
  /** The time after which an open stream resets the backoff: 10,000. */
  readonly settled: number
  /** The shortest time between the starts of two fetches that events ask for: 50. */
  readonly spacing: number
}

/** The validated options of a client. */
export interface Settings extends Timing {
  readonly base: string
  readonly key: () => string | Promise<string>
  readonly tenant: string | undefined
  readonly snapshot: Document<object> | undefined
  readonly file: string | undefined
  readonly deadline: number
  readonly pastDeadline: 'fail' | 'file' | 'off'
  readonly staleAfter: number
  readonly maxBackoff: number
  readonly instance: string
}

const TIMES = { deadline: 5_000, staleAfter: 60_000, maxBackoff: 30_000 }
const TIMING: Timing = { pollInterval: 30_000, minBackoff: 250, requestTimeout: 10_000, silence: 40_000, settled: 10_000, spacing: 50 }
const NAMES = ['url', 'key', 'tenant', 'snapshot', 'file', 'pastDeadline', 'instance', 'allowHttp', 'timing', ...Object.keys(TIMES)]
/** The hosts whose requests stay on the machine. */
const LOOPBACK = /^(?:(?:.+\.)?localhost|127(?:\.\d+){3}|\[::1\])$/
const SLUG = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/
/** The longest delay of a timer. */
const MAX_DELAY = 2 ** 31 - 1

/** Validates the options. Throws an error with the path of the first one that is malformed. */
export function readOptions(given: ConnectOptions, { kind, openFile }: Platform): Settings {
  if (typeof given !== 'object' || !given) reject('', 'the options must be an object')
  const options = own(given)
  const checkNames = (value: object, names: readonly string[], path: string) => {
    for (const name of Object.keys(value)) {
      if (names.includes(name)) continue
      const similar = nearest(name, names)
      reject(`${path}/${name}`, `there is no such option${similar ? `: did you mean \`${similar}\`?` : ''}`)
    }
  }
  const { url, key, tenant, snapshot, file, instance = `${kind}-${randomName()}`, allowHttp = false } = options
  const { pastDeadline = file === undefined ? 'fail' : 'file' } = options
  checkNames(options, NAMES, '')
  if (options.timing !== undefined && (typeof options.timing !== 'object' || !options.timing)) reject('/timing', 'the times must be an object')
  const timing = own(options.timing ?? {})
  checkNames(timing, Object.keys(TIMING), '/timing')
  if (typeof key !== 'function' && !isKey(key)) reject('/key', 'the key must be a string of visible ASCII characters, or a function that returns one')
  if (tenant !== undefined && !isSlug(tenant)) reject('/tenant', 'the tenant must be a slug: 1 to 63 of a-z, 0-9 and -, beginning and ending with a letter or digit')
  if (file !== undefined && (typeof file !== 'string' || !file)) reject('/file', 'the file must be a path')
  if (file !== undefined && !openFile) reject('/file', 'this platform has no files')
  if (!['fail', 'file', 'off'].includes(pastDeadline)) reject('/pastDeadline', 'pastDeadline must be fail, file or off')
  if (typeof allowHttp !== 'boolean') reject('/allowHttp', 'allowHttp must be true or false')
  if (typeof instance !== 'string' || !/^[\w.-]{1,64}$/.test(instance)) reject('/instance', 'an instance name is 1 to 64 of A-Z, a-z, 0-9, _, . and -')
  return {
    base: readBase(url, allowHttp), key: typeof key === 'function' ? key : () => key, tenant, snapshot, file, pastDeadline, instance,
    ...readTimes(TIMES, options, ''), ...readTimes(TIMING, timing, '/timing'),
  }
}

/** Copies the own members, so that members of `Object.prototype` are not read as options. */
const own = <Value extends object>(value: Value): Value => Object.assign(Object.create(null), value)

export const isSlug = (slug: unknown): slug is string => typeof slug === 'string' && SLUG.test(slug)

/** Returns whether the key can be in a header. */
export const isKey = (key: unknown): key is string => typeof key === 'string' && /^[\x21-\x7e]+$/.test(key)

function readBase(url: unknown, allowHttp: boolean): string {
  const parsed = typeof url === 'string' && URL.canParse(url) ? new URL(url) : undefined
  if (!parsed || !/^https?:$/.test(parsed.protocol)) return reject('/url', 'the URL must be an absolute http or https address')
  if (parsed.username || parsed.password) return reject('/url', 'the URL must not contain a user name or a password')
  if (parsed.protocol === 'http:' && !allowHttp && !LOOPBACK.test(parsed.hostname))
    throw new ClientError('insecure_url', 'the key would travel over plain http: use https, or set allowHttp', { path: '/url' })
  return parsed.origin + parsed.pathname.replace(/\/+$/, '')
}

function readTimes<Times extends object>(defaults: Times, given: { readonly [name in keyof Times]?: unknown }, path: string): Times {
  const times: Record<string, unknown> = {}
  for (const [name, fallback] of Object.entries(defaults)) {
    const { [name as keyof Times]: time = fallback } = given
    if (typeof time !== 'number' || !(time >= 0 && time <= MAX_DELAY)) reject(`${path}/${name}`, 'the time must be a number of milliseconds from 0 to 2147483647')
    times[name] = time
  }
  return times as Times
}

function randomName(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

function reject(path: string, message: string): never {
  throw new ClientError('invalid_option', message, { path })
}
