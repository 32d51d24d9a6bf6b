/** Fetches WASM modules and puts engines on them: for browsers, and wherever else modules are fetched. */
import type { Exports } from './crossing.js'
import { DezkyError } from './shared/error.js'

/**
 * The address of a module (a text or a `URL`), a `Response` or a promise of one, its bytes, or a compiled `WebAssembly.Module`. It says so little
 * because not every TypeScript library has these, and the last is any object in the one that has.
 */
export type ModuleSource = string | object

interface Wanted {
  readonly address: () => object
  readonly start: (exports: Exports) => void
  loading?: Promise<void> | undefined
}

/** Flags first, and then the world where somebody imports it. */
const wanted: Wanted[] = []

/** Wants a module from the next `init` on. The address is found only then: where there are no files it may have none. */
export function want<Module extends Exports>(address: () => object, start: (exports: Module) => void): void {
  wanted.push({ address, start: start as (exports: Exports) => void })
}

/**
 * Loads what was imported: flags.wasm, and world.wasm for `World` and `validate`. From beside this file, unless sources are given. Once is
 * enough; what has failed can be tried again.
 */
export async function init(flags?: ModuleSource, world?: ModuleSource): Promise<void> {
  const load = async ({ address, start }: Wanted, source: unknown) => {
    try {
      const module = await compile((await source) ?? address())
      start((await WebAssembly.instantiate(module)).exports as unknown as Exports)
    } catch (error) {
      notReady(error)
    }
  }
  const loads = wanted.map((one, index) => {
    one.loading ??= load(one, [flags, world][index]).catch((error) => {
      one.loading = undefined
      throw error
    })
    return one.loading
  })
  await Promise.all(loads)
}

/** As `init`, at once, from bytes or a compiled `WebAssembly.Module`. What has been loaded stays. */
export function initSync(flags: object, world?: object): void {
  wanted.forEach((one, index) => {
    const source = [flags, world][index]
    if (one.loading || !source) return
    try {
      const module = source instanceof WebAssembly.Module ? source : new WebAssembly.Module(source as BufferSource)
      one.start(new WebAssembly.Instance(module).exports as unknown as Exports)
    } catch (error) {
      notReady(error)
    }
    one.loading = Promise.resolve()
  })
}

async function compile(source: unknown): Promise<WebAssembly.Module> {
  if (source instanceof WebAssembly.Module) return source
  if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) return WebAssembly.compile(source as BufferSource)
  if (typeof source === 'string' || source instanceof URL) source = await fetch(source)
  if (!(source instanceof Response)) throw TypeError('not a source')
  if (!source.ok) throw Error(`${source.url} ${source.status}`)
  // Other types are not streamed; a page in place of the module shows in the error as a wrong magic word.
  return source.headers.get('content-type') === 'application/wasm'
    ? WebAssembly.compileStreaming(source)
    : WebAssembly.compile(await source.arrayBuffer())
}

function notReady(cause: unknown): never {
  throw Object.assign(new DezkyError([{ code: 'not_ready', path: '', message: `the engine cannot be loaded: ${cause}` }]), { cause })
}
