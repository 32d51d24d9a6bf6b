/** Dezky for Node: flags, access, the population and the model, on a native engine. */
import { load } from './load.js'

/** Which engine answers in this process. Both answer alike. */
export const engine: 'native' | 'wasm' = load()

export { connect } from '../../sdk-wasm/typescript/node/client.js'
export { can, rolloutPosition } from '../../sdk-wasm/typescript/shared/access.js'
export { changedKeys } from '../../sdk-wasm/typescript/shared/changed.js'
export type { Client } from '../../sdk-wasm/typescript/shared/client.js'
export { DezkyError } from '../../sdk-wasm/typescript/shared/error.js'
export type { Flags } from '../../sdk-wasm/typescript/shared/flags.js'
export type { ClientEvents, ClientStatus } from '../../sdk-wasm/typescript/shared/live/events.js'
export type { ConnectOptions } from '../../sdk-wasm/typescript/shared/live/options.js'
export { validate, type Validation, World } from '../../sdk-wasm/typescript/shared/population.js'
export { Ruleset } from '../../sdk-wasm/typescript/shared/ruleset.js'
export type * from '../../sdk-wasm/typescript/shared/types.js'
