/** The command `dezky-types`, on the engine of this package. */
import { run } from '../../sdk-wasm/typescript/types-command.js'
import { Ruleset } from './index.js'

process.exitCode = run(Ruleset, process.argv.slice(2))
