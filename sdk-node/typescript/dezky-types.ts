/** The command `dezky-types` of this package, which reads snapshots with this package's engine. */
import { Ruleset } from './index.js'
import { run } from './shared.js'

process.exitCode = run(Ruleset, process.argv.slice(2))
