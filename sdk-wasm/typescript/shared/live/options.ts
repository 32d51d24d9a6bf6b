/** What `connect` takes, and what is made of it. */
import type { Document } from '../types.js'
import { nearest } from '../nearest.js'
import type { Platform } from './platform.js'
import { Trouble } from './trouble.js'

/** Times are in milliseconds. */
export interface ConnectOptions {
  /** The server's base URL, on https, or on http to a loopback address. A path is kept. */
  readonly url: string
  /** A machine key or an access token, or what gives one for each request. */
  readonly key: string | (() => string | Promise<string>)
  /** The slug of a tenant: only what its decisions depend on, instead of the whole snapshot. */
  readonly tenant?: string | undefined
  /** A snapshot to start with at once: `connect` does not wait for the server then. */
  readonly snapshot?: Document<object> | undefined
  /** In Node alone: where the last snapshot is kept, to go on with it where the server does not answer, and to refuse an older one. */
  readonly file?: string | undefined
  /** `connect` never takes longer: 5,000 unless given. */
  readonly deadline?: number | undefined
  /**
   * What happens past it, and where the key is refused: `connect` fails, or the client goes on with the `file` (at once where the server
   * cannot be reached), or with every flag off. `'file'` where a file is given, else `'fail'`.
   */
  readonly pastDeadline?: 'fail' | 'file' | 'off' | undefined
  /** Rules that the server has not confirmed for so long are stale: 60,000 unless given. */
  readonly staleAfter?: number | undefined
  /** The longest wait between two attempts: 30,000 unless given. While the key is refused it is twice as long. */
  readonly maxBackoff?: number | undefined
  /** What this instance is called where the server shows who has which snapshot: random unless given. 1 to 64 of A-Z, a-z, 0-9, _, . and -. */
  readonly instance?: string | undefined
  /** Lets the key travel over plain http to other machines, where everybody on the way can read it. */
  readonly allowHttp?: boolean | undefined
  /** For tests. */
  readonly timing?: { readonly [time in keyof Timing]?: number | undefined } | undefined
}

/** The times that nobody needs to change but tests, in milliseconds. */
export interface Timing {
  /** Between two requests that ask whether the snapshot is still the newest: 30,000. */
  readonly pollInterval: number
  /** The first wait after a failure: 250. */
  readonly minBackoff: number
  /** For a whole request: 10,000. */
  readonly requestTimeout: number
  /** A stream that is silent for so long is given up: 40,000. */
  readonly silence: number
  /** A stream that is open for so long is a success: 10,000. */
  readonly settled: number
  /** Between the starts of two fetches that events ask for: 50. */
  readonly spacing: number
}

/** The options, all there and checked. */
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
/** Requests to these hosts do not leave the machine. */
const LOOPBACK = /^(?:(?:.+\.)?localhost|127(?:\.\d+){3}|\[::1\])$/
const SLUG = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/
/** The longest that a timer can be set to. */
const LONGEST = 2 ** 31 - 1

/** Checks every option; the first that is wrong is thrown, with its path. */
export function readOptions(given: ConnectOptions, { kind, keep }: Platform): Settings {
  if (typeof given !== 'object' || !given) refuse('', 'the options are an object')
  const options = own(given)
  const known = (value: object, names: readonly string[], path: string) => {
    for (const name of Object.keys(value)) {
      if (names.includes(name)) continue
      const meant = nearest(name, names)
      refuse(`${path}/${name}`, `there is no such option${meant ? `: did you mean \`${meant}\`?` : ''}`)
    }
  }
  const { url, key, tenant, snapshot, file, instance = `${kind}-${randomName()}`, allowHttp = false } = options
  const { pastDeadline = file === undefined ? 'fail' : 'file' } = options
  known(options, NAMES, '')
  if (options.timing !== undefined && (typeof options.timing !== 'object' || !options.timing)) refuse('/timing', 'the times are an object')
  const timing = own(options.timing ?? {})
  known(timing, Object.keys(TIMING), '/timing')
  if (typeof key !== 'function' && !isKey(key)) refuse('/key', 'the key is a text of visible ASCII characters, or a function that gives one')
  if (tenant !== undefined && !isSlug(tenant)) refuse('/tenant', 'the tenant is its slug')
  if (file !== undefined && (typeof file !== 'string' || !file)) refuse('/file', 'the file is a path')
  if (file !== undefined && !keep) refuse('/file', 'there are no files here')
  if (!['fail', 'file', 'off'].includes(pastDeadline)) refuse('/pastDeadline', 'past the deadline is fail, file or off')
  if (typeof allowHttp !== 'boolean') refuse('/allowHttp', 'this is true or false')
  if (typeof instance !== 'string' || !/^[\w.-]{1,64}$/.test(instance)) refuse('/instance', 'an instance is 1 to 64 of A-Z, a-z, 0-9, _, . and -')
  return {
    base: readBase(url, allowHttp), key: typeof key === 'function' ? key : () => key, tenant, snapshot, file, pastDeadline, instance,
    ...readTimes(TIMES, options, ''), ...readTimes(TIMING, timing, '/timing'),
  }
}

/** Its own members alone: whatever was put on `Object.prototype` is no option. */
const own = <Value extends object>(value: Value): Value => Object.assign(Object.create(null), value)

export const isSlug = (slug: unknown): slug is string => typeof slug === 'string' && SLUG.test(slug)

/** A credential that can stand in a header. */
export const isKey = (key: unknown): key is string => typeof key === 'string' && /^[\x21-\x7e]+$/.test(key)

function readBase(url: unknown, allowHttp: boolean): string {
  const parsed = typeof url === 'string' && URL.canParse(url) ? new URL(url) : undefined
  if (!parsed || !/^https?:$/.test(parsed.protocol) || parsed.username || parsed.password)
    return refuse('/url', 'the URL is the address of a server, http or https, without a name or password')
  if (parsed.protocol === 'http:' && !allowHttp && !LOOPBACK.test(parsed.hostname))
    throw new Trouble('insecure_url', 'the key would travel over plain http: use https, or set allowHttp', { path: '/url' })
  return parsed.origin + parsed.pathname.replace(/\/+$/, '')
}

function readTimes<Times extends object>(defaults: Times, given: { readonly [name in keyof Times]?: unknown }, path: string): Times {
  const times: Record<string, unknown> = {}
  for (const [name, fallback] of Object.entries(defaults)) {
    const { [name as keyof Times]: time = fallback } = given
    if (typeof time !== 'number' || !(time >= 0 && time <= LONGEST)) refuse(`${path}/${name}`, 'a time is a number of milliseconds, not negative')
    times[name] = time
  }
  return times as Times
}

function randomName(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

function refuse(path: string, message: string): never {
  throw new Trouble('invalid_option', message, { path })
}
