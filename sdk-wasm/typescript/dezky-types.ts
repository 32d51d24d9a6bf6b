/** The command `dezky-types`, on the engine of this package. */
import { Ruleset } from './node/core.js'
import { run } from './types-command.js'

process.exitCode = run(Ruleset, process.argv.slice(2))
