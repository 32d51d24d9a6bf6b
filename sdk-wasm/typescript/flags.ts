/** The entry `@dezky/sdk-wasm/flags`: flags and access, without the population. */
export { connect } from './client.js'
export { can, changedKeys, DezkyError, init, initSync, rolloutPosition, Ruleset } from './core.js'
export type { ModuleSource } from './loading.js'
export type { Client } from './shared/client.js'
export type { Flags } from './shared/flags.js'
export type { ClientEvents, ClientStatus } from './shared/live/events.js'
export type { ConnectOptions } from './shared/live/options.js'
export type * from './shared/model.js'
export type * from './shared/types.js'

/** The engine in use; `@dezky/sdk-node` exports the same constant. */
export const engine: 'native' | 'wasm' = 'wasm'
