/** The difference between two snapshots. */
import { engine } from './current.js'
import { callEngine } from './error.js'
import type { Document } from './types.js'
import { toSource } from './write.js'

/** Returns the keys of the flags that were changed, added or removed, sorted. */
export function changedKeys(before: Document<object>, after: Document<object>): string[] {
  const [earlier, later] = [toSource(before), toSource(after)]
  return callEngine(() => engine().changedKeys(earlier, later)).split('\n').slice(0, -1)
}
