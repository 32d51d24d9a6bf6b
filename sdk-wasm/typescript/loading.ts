/** Fetches the WASM modules and creates the engines, for browsers. */
import type { ModuleExports } from './buffers.js'
import { DezkyError } from './shared/error.js'

/**
 * A WASM module: its address (a string or a `URL`), a `Response` or a promise of one, its bytes, or
 * a compiled `WebAssembly.Module`. The type is wide because not every TypeScript library declares
 * these types.
 */
export type ModuleSource = string | object

interface RegisteredModule {
  readonly address: () => object
  readonly start: (exports: ModuleExports) => void
  loading?: Promise<void> | undefined
}

/** flags.wasm, then world.wasm if it is imported. */
const modules: RegisteredModule[] = []

/**
 * Registers a module that `init` loads from now on. The address is computed only when it is needed,
 * because `import.meta.url` may be unusable on hosts without files.
 */
export function registerModule<Exports extends ModuleExports>(address: () => object, start: (exports: Exports) => void): void {
  modules.push({ address, start: start as (exports: ModuleExports) => void })
}

/**
 * Loads the engine: flags.wasm, and world.wasm if `World` or `validate` is imported. Without
 * arguments it loads the files beside this script. Repeated calls load nothing again; after a
 * failure, call it again to retry.
 *
 * @throws {DezkyError} with the code `not_ready` if a module cannot be loaded.
 * @example
 * await init()
 * const rules = Ruleset.fromSnapshot(snapshot)
 */
export async function init(flags?: ModuleSource, world?: ModuleSource): Promise<void> {
  const load = async ({ address, start }: RegisteredModule, source: unknown) => {
    try {
      const module = await compile((await source) ?? address())
      start((await WebAssembly.instantiate(module)).exports as unknown as ModuleExports)
    } catch (error) {
      notReady(error)
    }
  }
  const loads = modules.map((module, index) => {
    module.loading ??= load(module, [flags, world][index]).catch((error) => {
      module.loading = undefined
      throw error
    })
    return module.loading
  })
  await Promise.all(loads)
}

/**
 * Like `init`, but synchronous: takes bytes or a compiled `WebAssembly.Module`. Loaded modules
 * stay.
 */
export function initSync(flags: object, world?: object): void {
  modules.forEach((one, index) => {
    const source = [flags, world][index]
    if (one.loading || !source) return
    try {
      const module = source instanceof WebAssembly.Module ? source : new WebAssembly.Module(source as BufferSource)
      one.start(new WebAssembly.Instance(module).exports as unknown as ModuleExports)
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
  // compileStreaming rejects other content types. An HTML page instead of a module fails below,
  // with "wrong magic word".
  return source.headers.get('content-type') === 'application/wasm'
    ? WebAssembly.compileStreaming(source)
    : WebAssembly.compile(await source.arrayBuffer())
}

function notReady(cause: unknown): never {
  throw Object.assign(new DezkyError([{ code: 'not_ready', path: '', message: `the engine cannot be loaded: ${cause}` }]), { cause })
}
