// Serves folders over HTTP on the loopback interface, and records the requested paths.
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname, join } from 'node:path'

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.wasm': 'application/wasm', '.json': 'application/json' }

/**
 * Serves the files of `root`, of `folders` by the first segment of the path, and `pages` by path.
 * If `answer` returns true, it has answered the request. `requested` lists the path of every
 * request.
 */
export async function serve({ root, folders = {}, pages = {}, headers = {}, port = 0, answer = () => false }) {
  const requested = []
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url, 'http://localhost').pathname)
    requested.push(path)
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
    if (answer(path, response)) return
    if (path === '/favicon.ico') return response.writeHead(204).end()
    if (path in pages) return response.setHeader('content-type', 'text/html').end(pages[path])
    const [, folder, ...rest] = path.split('/')
    try {
      const file = root ? join(root, path) : join(folders[folder] ?? '/nowhere', ...rest)
      const bytes = await readFile(file)
      response.setHeader('content-type', TYPES[extname(path)] ?? 'application/octet-stream').end(bytes)
    } catch {
      response.writeHead(404).end()
    }
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const close = () => new Promise((closed) => (server.close(closed), server.closeAllConnections()))
  return { origin: `http://127.0.0.1:${server.address().port}`, requested, close }
}
