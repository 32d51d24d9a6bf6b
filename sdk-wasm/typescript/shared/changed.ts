/** What differs between two snapshots. */
import { engine } from './current.js'
import { asking } from './error.js'
import type { Document } from './types.js'
import { toSource } from './write.js'

/** The keys of the flags whose rule differs, or that are in one of the two alone, sorted. */
export function changedKeys(before: Document<object>, after: Document<object>): string[] {
  const [earlier, later] = [toSource(before), toSource(after)]
  const keys = asking(() => engine().changedKeys(earlier, later))
  return keys ? keys.split('\n') : []
}
