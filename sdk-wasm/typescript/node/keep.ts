/** The last-known-good file. */
import { randomUUID } from 'node:crypto'
import { open, readFile, rename, rm, stat } from 'node:fs/promises'
import type { Keeper } from '../shared/live/platform.js'

/** Core's largest document, and room for the name of a history. */
const MAX_BYTES = (32 << 20) + 4096

export const keep = (path: string): Keeper => ({
  async read() {
    try {
      const { size, mtimeMs } = await stat(path)
      if (size > MAX_BYTES) throw new Error(`${path} is larger than is accepted`)
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
