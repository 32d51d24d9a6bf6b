/** Writing the last-known-good file. */
import { ClientError } from './client-error.js'
import { type LoadedSnapshot, toDocument } from './loaded-snapshot.js'
import type { FileStore } from './platform.js'

/**
 * Writes snapshots one after another. While a write runs, only the newest snapshot is kept for the
 * next.
 */
export class FileWriter {
  readonly #store: FileStore
  readonly #report: (error: ClientError | undefined) => void
  #next: Uint8Array | undefined
  #isWriting = false

  /** `report` receives the error of each write, or `undefined` for a success. */
  constructor(store: FileStore, report: (error: ClientError | undefined) => void) {
    this.#store = store
    this.#report = report
  }

  async write(snapshot: LoadedSnapshot<string>): Promise<void> {
    this.#next = toDocument(snapshot)
    if (this.#isWriting) return
    this.#isWriting = true
    while (this.#next) {
      const document = this.#next
      this.#next = undefined
      this.#report(await this.#store.write(document).then(() => undefined, unusableFile('written')))
    }
    this.#isWriting = false
  }
}

/** Returns a function that converts an error of the file. */
export const unusableFile = (action: 'read' | 'written') => (cause: unknown): ClientError =>
  new ClientError('file_unusable', `the last-known-good file cannot be ${action}: ${(cause as Error).message}`, { cause })
