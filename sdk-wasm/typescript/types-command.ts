/** The command `dezky-types`: writes flag keys as a TypeScript union. */
import { readFileSync } from 'node:fs'
import type { Ruleset } from './shared/ruleset.js'

const USAGE = 'usage: dezky-types SNAPSHOT.json > flag-keys.ts   (- reads standard input)'

/** Runs the command and returns its exit code. */
export function run({ fromSnapshot }: Pick<typeof Ruleset, 'fromSnapshot'>, files: readonly string[]): number {
  const [file] = files
  if (files.length !== 1 || !file || /^-./.test(file)) {
    process.stderr.write(`${USAGE}\n`)
    return 2
  }
  try {
    process.stdout.write(toModule(fromSnapshot(readFileSync(file === '-' ? 0 : file)).keys))
    return 0
  } catch (error) {
    process.stderr.write(`dezky-types: ${error instanceof Error ? error.message : error}\n`)
    return 1
  }
}

/** The source of the TypeScript module. Flag keys contain no character that needs escaping. */
function toModule(keys: readonly string[]): string {
  const union = keys.map((key) => `\n  | '${key}'`).join('') || ' never'
  return `/** Every flag's key, by dezky-types. */\nexport type FlagKey =${union}\n`
}
