/** The command `dezky-types` of this package, which reads snapshots with the WASM engine. */
import { Ruleset } from './node/core.js'
import { run } from './types-command.js'

process.exitCode = run(Ruleset, process.argv.slice(2))
