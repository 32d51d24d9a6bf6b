/** Chooses the engine: native if a binary for this platform loads, otherwise WASM. */
import binaries from 'dezky:binaries'
import { type Addon, nativeEngine, nativePopulation } from './native.js'
import { type Engine, type Population, useEngine, usePopulation } from './shared.js'
import type * as Wasm from './wasm.js'

/** The package's version, inserted by the build. */
declare const VERSION: string

/** Installs an engine and returns its name. The variable `DEZKY_ENGINE` forces one of the two. */
export function load(): Engine['name'] {
  const wanted = process.env['DEZKY_ENGINE']
  if (wanted && wanted !== 'native' && wanted !== 'wasm') throw new Error(`DEZKY_ENGINE must be native or wasm, not ${wanted}`)
  if (wanted !== 'wasm') {
    try {
      const addon = findAddon()
      useEngine(nativeEngine(addon))
      usePopulation(nativePopulation(addon))
      return 'native'
    } catch (error) {
      if (wanted === 'native') throw error
    }
  }
  const { wasmEngine, wasmPopulation } = require('./wasm.cjs') as typeof Wasm
  let loaded: Population | undefined
  const population = () => (loaded ??= wasmPopulation())
  useEngine(wasmEngine())
  usePopulation({
    world: (document) => population().world(document),
    validate: (kind, document) => population().validate(kind, document),
  })
  return 'wasm'
}

/**
 * Returns the first binary that loads and has the package's version: their interface is internal.
 */
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
  throw new Error(`@dezky/sdk-node has no native engine for ${platform}: ${reasons.join('; ') || 'no binary is published for it'}`)
}
