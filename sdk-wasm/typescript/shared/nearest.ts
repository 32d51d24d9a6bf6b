/** Suggests the nearest valid name for an unknown one. */

/** Returns the candidate at the smallest edit distance, if at most a third of it differs. */
export function nearest(name: string, candidates: readonly string[]): string | undefined {
  const plain = (text: string) => text.replace(/[^a-z\d]/gi, '').toLowerCase()
  const [best] = candidates
    .map((each) => ({ each, distance: distanceOf(plain(name), plain(each)) }))
    .filter(({ each, distance }) => distance * 3 <= each.length)
    .sort((one, other) => one.distance - other.distance)
  return best?.each
}

/** The edit distance: how many characters must be changed, added or removed. */
function distanceOf(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at)
  for (const [at, letter] of [...one].entries()) {
    let diagonal = at
    row = row.reduce<number[]>((next, above, column) => {
      const left = next[column - 1]
      const best = left === undefined ? at + 1 : Math.min(above + 1, left + 1, diagonal + Number(letter !== other[column - 1]))
      diagonal = above
      return [...next, best]
    }, [])
  }
  return row[other.length] as number
}
