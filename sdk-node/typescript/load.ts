/** Picks the engine: the native one where there is a binary for this platform, else WASM. */
import binaries from 'dezky:binaries'
import { use, usePopulation } from '../../sdk-wasm/typescript/shared/current.js'
import type { Engine, Population } from '../../sdk-wasm/typescript/shared/engine.js'
import { type Addon, nativeEngine, nativePopulation } from './native.js'
import type * as Wasm from './wasm.js'

/** The package's version: the build puts it in. */
declare const VERSION: string

/** Puts an engine in place and says which. `DEZKY_ENGINE` forces one of the two. */
export function load(): Engine['name'] {
  const wanted = process.env['DEZKY_ENGINE']
  if (wanted && wanted !== 'native' && wanted !== 'wasm') throw new Error(`DEZKY_ENGINE is native or wasm, not ${wanted}`)
  if (wanted !== 'wasm') {
    try {
      const addon = findAddon()
      use(nativeEngine(addon))
      usePopulation(nativePopulation(addon))
      return 'native'
    } catch (error) {
      if (wanted === 'native') throw error
    }
  }
  const { wasmEngine, wasmPopulation } = require('./wasm.cjs') as typeof Wasm
  let loaded: Population | undefined
  const population = () => (loaded ??= wasmPopulation())
  use(wasmEngine())
  usePopulation({
    world: (document) => population().world(document),
    validate: (kind, document) => population().validate(kind, document),
  })
  return 'wasm'
}

/** The first binary that loads and is of this very version: JavaScript and Rust change together. */
function findAddon(): Addon {
  const platform = `${process.platform}-${process.arch}`
  const reasons: string[] = []
  for (const { load } of binaries.filter((binary) => binary.platform === platform)) {
    try {
      const addon = load() as Addon
      if (addon.version() === VERSION) return addon
      reasons.push(`the binary has version ${addon.version()}, the package ${VERSION}`)
    } catch (error) {
      reasons.push(String(error))
    }
  }
  throw new Error(`@dezky/sdk-node has no native engine here (${platform}): ${reasons.join('; ') || 'none is made for it'}`)
}
