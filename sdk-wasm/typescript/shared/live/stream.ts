/** An incremental parser for the server's `text/event-stream`. */

/** The limit for one event, in characters. Dezky's events have a few hundred. */
const MAX_EVENT_LENGTH = 65_536

/** The state of the parser between two chunks. */
export class EventReader {
  #rest = ''
  #name = ''
  #data = ''

  /** Parses the next chunk and returns the data of each `revision` event that it completes. */
  read(chunk: string): string[] {
    const completed: string[] = []
    // A carriage return at the end of the chunk may be the first character of CRLF.
    const lines = (this.#rest + chunk).split(/\r\n|\n|\r(?!$)/)
    this.#rest = lines.pop() as string
    for (const line of lines) {
      if (!line) {
        const [name, data] = [this.#name, this.#data]
        this.#name = this.#data = ''
        if (name === 'revision' && data) completed.push(data)
        continue
      }
      const [, field, value = ''] = line.match(/^([^:]*)(?:: ?(.*))?$/) as RegExpMatchArray
      if (field === 'event') this.#name = value
      if (field === 'data') this.#data += this.#data ? `\n${value}` : value
    }
    if (this.#rest.length + this.#data.length > MAX_EVENT_LENGTH) throw new Error('an event is too long')
    return completed
  }
}

/** The server's announcement of its current snapshot. */
export interface Announcement {
  /** The digest of the snapshot, if the event has one. */
  readonly digest?: string
  /** The newest revision that changed a tenant or a partner. */
  readonly population?: string
}

/** Parses the data of an event. Malformed data is an announcement without a digest. */
export function parseAnnouncement(data: string): Announcement {
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
