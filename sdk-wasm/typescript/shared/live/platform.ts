/** The differences between the platforms that a client runs on. */

export interface Platform {
  /** The first word of random instance names. */
  readonly kind: 'node' | 'browser' | 'edge'
  /** The options of `fetch` that every request has. */
  readonly requestOptions: object
  /**
   * The headers of requests that no other request follows soon, so that their connection closes.
   */
  readonly closeHeaders: Readonly<Record<string, string>>
  /** The additional options of `fetch` for the last request of a client. */
  readonly signOffOptions: object
  /** Resolves when the engine is loaded. */
  ready(): Promise<void>
  /** Returns the store for a last-known-good file; absent on platforms without files. */
  readonly openFile?: (path: string) => FileStore
}

/** The store of the last-known-good file. */
export interface FileStore {
  /** Reads the file; `undefined` if it does not exist. */
  read(): Promise<StoredDocument | undefined>
  /** Replaces the file atomically, even if the power fails. */
  write(document: Uint8Array): Promise<void>
}

export interface StoredDocument {
  readonly document: Uint8Array
  /** The time of the last change, in milliseconds of Unix time. */
  readonly written: number
}
