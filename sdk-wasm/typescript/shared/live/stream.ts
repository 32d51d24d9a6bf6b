/** Server-sent events, as far as Dezky's streams need them. */

/** Characters of one event. Ours have some hundred. */
const LONGEST_EVENT = 65_536

/** Puts events together from the text as it arrives. */
export class EventReader {
  #rest = ''
  #name = ''
  #data = ''

  /** The data of each event called `revision` that ends in this piece. */
  read(piece: string): string[] {
    const ended: string[] = []
    // A carriage return at the end may be the first half of a line's end.
    const lines = (this.#rest + piece).split(/\r\n|\n|\r(?!$)/)
    this.#rest = lines.pop() as string
    for (const line of lines) {
      if (!line) {
        const [name, data] = [this.#name, this.#data]
        this.#name = this.#data = ''
        if (name === 'revision' && data) ended.push(data)
        continue
      }
      const [, field, value = ''] = line.match(/^([^:]*)(?:: ?(.*))?$/) as RegExpMatchArray
      if (field === 'event') this.#name = value
      if (field === 'data') this.#data += this.#data ? `\n${value}` : value
    }
    if (this.#rest.length + this.#data.length > LONGEST_EVENT) throw new Error('an event is too long')
    return ended
  }
}

/** What an event announces. */
export interface Announcement {
  /** Of the rules; nothing where it says none. */
  readonly digest?: string
  /** The newest revision that changed a tenant or a partner. */
  readonly population?: string
}

export function announcementOf(data: string): Announcement {
  try {
    const { digest, population } = Object.assign(Object.create(null), JSON.parse(data))
    return {
      ...(typeof digest === 'string' && { digest }),
      ...(typeof population === 'number' && { population: String(population) }),
    }
  } catch {
    return {}
  }
}
