/** What differs between the platforms that a client runs on. */

export interface Platform {
  /** The first word of an instance's name. */
  readonly kind: 'node' | 'browser' | 'edge'
  /** What every request is made with besides. */
  readonly request: object
  /** Headers of a request that no other follows soon, so that no connection is kept for one. */
  readonly parting: Readonly<Record<string, string>>
  /** What the last request of a client is made with besides. */
  readonly closing: object
  /** Waits for the engine. */
  ready(): Promise<void>
  /** Where a snapshot outlives the process; absent where there is no such place. */
  readonly keep?: (path: string) => Keeper
}

/** The last-known-good file. */
export interface Keeper {
  /** Nothing where there is no file. */
  read(): Promise<Kept | undefined>
  /** All of it or nothing, even if the power is cut. */
  write(document: Uint8Array): Promise<void>
}

export interface Kept {
  readonly document: Uint8Array
  /** When it was written, in milliseconds of Unix time. */
  readonly written: number
}
