/** Names that are known, for one that is not. */

/** The known name that was probably meant: at most a third of it is written differently. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const plain = (text: string) => text.replace(/[^a-z\d]/gi, '').toLowerCase()
  const [wanted] = known
    .map((each) => ({ each, distance: distanceOf(plain(name), plain(each)) }))
    .filter(({ each, distance }) => distance * 3 <= each.length)
    .sort((one, other) => one.distance - other.distance)
  return wanted?.each
}

/** How many characters must be changed, added or removed. */
function distanceOf(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at)
  for (const [at, letter] of [...one].entries()) {
    let diagonal = at
    row = row.reduce<number[]>((next, above, place) => {
      const left = next[place - 1]
      const best = left === undefined ? at + 1 : Math.min(above + 1, left + 1, diagonal + Number(letter !== other[place - 1]))
      diagonal = above
      return [...next, best]
    }, [])
  }
  return row[other.length] as number
}
