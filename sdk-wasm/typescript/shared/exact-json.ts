/** Parses JSON without losing digits: whole numbers beyond 2^53 become bigint. */

export function parseExactly(json: string): unknown {
  if (!/\d{16}/.test(json)) return JSON.parse(json)
  // No string of the document starts with the mark, so every string that does is a marked number.
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

/** Yields every number of a well-formed document that is written in digits only. */
function* wholeNumbers(json: string): Generator<{ start: number; text: string }> {
  const token = /"|-?\d[\d.eE+-]*/g
  for (let found = token.exec(json); found; found = token.exec(json)) {
    const text = found[0]
    if (text === '"') token.lastIndex = endOfString(json, token.lastIndex)
    else if (/^-?\d+$/.test(text)) yield { start: found.index, text }
  }
}

/**
 * Returns the index after the closing quote of the string whose first character is at `at`.
 * Skipping strings keeps digits inside them from being mistaken for numbers.
 */
function endOfString(json: string, at: number): number {
  while (at < json.length && json[at] !== '"') at += json[at] === '\\' ? 2 : 1
  return at + 1
}
