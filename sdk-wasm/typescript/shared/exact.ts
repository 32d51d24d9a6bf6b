/** JSON to values without the loss of a digit: whole numbers beyond 2^53 become bigint. */

export function parseExactly(json: string): unknown {
  if (!/\d{16}/.test(json)) return JSON.parse(json)
  // No text of the document begins with the mark, so whatever does is a number that was marked here.
  let mark = '#'
  while (json.includes(`"${mark}`)) mark += '#'
  let marked = ''
  let copied = 0
  for (const { start, text } of wholeNumbers(json)) {
    if (Number.isSafeInteger(Number(text))) continue
    marked += `${json.slice(copied, start)}"${mark}${text}"`
    copied = start + text.length
  }
  const revive = (_: string, value: unknown): unknown =>
    typeof value === 'string' && value.startsWith(mark) ? BigInt(value.slice(mark.length)) : value
  return JSON.parse(marked + json.slice(copied), revive)
}

/** Every number of a well-formed document that is written in digits alone. */
function* wholeNumbers(json: string): Generator<{ start: number; text: string }> {
  const token = /"|-?\d[\d.eE+-]*/g
  for (let found = token.exec(json); found; found = token.exec(json)) {
    const text = found[0]
    if (text === '"') token.lastIndex = endOfText(json, token.lastIndex)
    else if (/^-?\d+$/.test(text)) yield { start: found.index, text }
  }
}

/** Where the text ends whose first character is at `at`. Texts may be long, and hold what looks like a number. */
function endOfText(json: string, at: number): number {
  while (at < json.length && json[at] !== '"') at += json[at] === '\\' ? 2 : 1
  return at + 1
}
