/** Flags and access in Node. */
import { flagsEngine } from '../flags-engine.js'
import { lazily } from '../lazily.js'
import { use } from '../shared/current.js'
import { load } from './load.js'

export * from '../internals.js'
export { init, initSync, lazily } from '../lazily.js'

use(lazily(() => flagsEngine(load(new URL('../flags.wasm', import.meta.url)))))
