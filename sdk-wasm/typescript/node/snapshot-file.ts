/** The last-known-good snapshot file: read at startup, replaced atomically. */
import { randomUUID } from 'node:crypto'
import { open, readFile, rename, rm, stat } from 'node:fs/promises'
import type { FileStore } from '../shared/live/platform.js'

/** The largest document that core accepts, plus room for the history's identifier. */
const MAX_BYTES = (32 << 20) + 4096

export const openSnapshotFile = (path: string): FileStore => ({
  async read() {
    try {
      const { size, mtimeMs } = await stat(path)
      if (size > MAX_BYTES) throw new Error(`${path} is too large`)
      return { document: await readFile(path), written: mtimeMs }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  },
  async write(document) {
    const temporary = `${path}.${randomUUID()}`
    try {
      const file = await open(temporary, 'wx', 0o600)
      try {
        await file.writeFile(document)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(temporary, path)
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => {})
      throw error
    }
  },
})
