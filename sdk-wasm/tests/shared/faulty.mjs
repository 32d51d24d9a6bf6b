// A test server on the loopback interface that publishes snapshots, and fails on request.
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'

const AXES = { plans: [], tenantSlugs: [], partnerSlugs: [], environments: [] }

/** The canonical text of a snapshot in which these flags are on. */
export function snapshotOf(revision, keys) {
  const flags = [...keys].sort().map((key) => ({ key, state: 'on', pct: 0, scope: AXES }))
  return JSON.stringify({ format: 1, revision, environment: 'production', flags })
}

export const digestOf = (text) => createHash('sha256').update(text).digest('hex')

/**
 * The failures of a response. Each gets the response, with its headers set, and the text to send.
 */
export const faults = {
  reset: (response) => response.socket.destroy(),
  hang: () => {},
  truncate(response, text) {
    response.writeHead(200, { 'content-length': text.length })
    response.write(text.slice(0, text.length / 2))
    setTimeout(() => response.socket?.destroy(), 5)
  },
  /** The body is shorter, but complete for HTTP. */
  cut: (response, text) => response.writeHead(200).end(text.slice(0, -10)),
  /** The body is well formed, but not the published snapshot. */
  corrupt: (response, text) => response.writeHead(200).end(text.replace('"on"', '"off"').replace('"revision":', '"revision":9')),
  malformed: (response) => response.writeHead(200).end('<html>Welcome to the hotel</html>'),
  untagged(response, text) {
    response.removeHeader('etag')
    response.writeHead(200).end(text)
  },
  wrongUnchanged: (response) => response.setHeader('etag', `"${digestOf('')}"`).writeHead(304).end(),
  slow: (response, text) => setTimeout(() => response.writeHead(200).end(text), 60),
  trickle(response, text) {
    response.writeHead(200)
    response.write(text.slice(0, 20))
    setTimeout(() => response.end(text.slice(20)), 40)
  },
  status: (status, headers = {}) => (response) => response.writeHead(status, headers).end('{"code":"nothing","detail":"no"}'),
}

/** Starts a server. With `port`, it replaces one that was closed. */
export async function startServer({ revision = 1, keys = ['a'], history = 'first', port = 0, cors = false } = {}) {
  const server = {
    text: snapshotOf(revision, keys),
    history,
    /** Every text that was published so far. */
    published: new Set(),
    requests: [],
    /** The failures of the next responses and streams, one each. `always` applies after them. */
    next: [],
    nextStream: [],
    always: undefined,
    alwaysStream: undefined,
    /** The subject of each tenant by slug, and the failures of the next responses. */
    subjects: {},
    nextSubject: [],
    alwaysSubject: undefined,
    /** The population that snapshots and events report. */
    population: undefined,
    streams: new Set(),
    sockets: new Set(),
    get digest() {
      return digestOf(server.text)
    },
    get snapshots() {
      return server.requests.filter(({ path }) => !path.includes('/stream') && !path.includes('/tenants/'))
    },
    get subjectRequests() {
      return server.requests.filter(({ path }) => path.includes('/tenants/'))
    },
    /** Publishes other rules, and announces them on every open stream, unless `quietly`. */
    publish(revision, keys, { quietly = false } = {}) {
      server.text = snapshotOf(revision, keys)
      server.published.add(server.text)
      if (!quietly) server.announce()
    },
    event() {
      const { population } = server
      const data = { revision: JSON.parse(server.text).revision, digest: digestOf(server.text), population }
      return `id: 1\nevent: revision\ndata: ${JSON.stringify(data)}\n\n`
    },
    announce(text = server.event()) {
      for (const stream of server.streams) stream.write(text)
    },
    endStreams() {
      for (const stream of server.streams) stream.end()
    },
    async close() {
      if (!http.listening) return
      http.close()
      http.closeAllConnections()
      await once(http, 'close')
    },
  }
  server.published.add(server.text)

  function answerStream(response) {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    server.streams.add(response)
    response.on('close', () => server.streams.delete(response))
    response.write(`:\n\n${server.event()}`)
  }

  function answerSnapshot(request, response) {
    const digest = digestOf(server.text)
    response.setHeader('etag', `"${digest}"`).setHeader('dezky-history', server.history)
    if (server.population !== undefined) response.setHeader('dezky-population', server.population)
    const fault = server.next.shift() ?? server.always
    if (fault) return fault(response, server.text)
    if (request.headers['if-none-match'] === `"${digest}"`) return response.writeHead(304).end()
    response.setHeader('content-type', 'application/json').end(server.text)
  }

  function answerSubject(slug, request, response) {
    const text = JSON.stringify(server.subjects[slug])
    const fault = server.nextSubject.shift() ?? server.alwaysSubject
    if (fault) return fault(response, text)
    if (!text) return response.writeHead(404).end('{"code":"not_found"}')
    const tag = `"${digestOf(text)}"`
    response.setHeader('etag', tag)
    if (request.headers['if-none-match'] === tag) return response.writeHead(304).end()
    response.setHeader('content-type', 'application/json').end(text)
  }

  const http = createServer((request, response) => {
    const path = request.url
    if (cors) allow(response)
    if (request.method === 'OPTIONS') return response.writeHead(204).end()
    server.requests.push({ path, headers: request.headers, at: performance.now() })
    const tenant = path.match(/\/tenants\/([^/]+)\/subject$/)
    if (tenant) return answerSubject(tenant[1], request, response)
    if (!path.includes('/stream')) return answerSnapshot(request, response)
    const fault = server.nextStream.shift() ?? server.alwaysStream
    return fault ? fault(response, '') : answerStream(response)
  })
  http.on('connection', (socket) => {
    server.sockets.add(socket)
    socket.on('close', () => server.sockets.delete(socket))
  })
  http.listen(port, '127.0.0.1')
  await once(http, 'listening')
  server.port = http.address().port
  server.url = `http://127.0.0.1:${server.port}`
  return server
}

function allow(response) {
  response.setHeader('access-control-allow-origin', '*')
  response.setHeader('access-control-allow-headers', 'authorization, x-api-key, if-none-match, dezky-instance, dezky-digest, dezky-closing')
  response.setHeader('access-control-expose-headers', 'etag, dezky-history, dezky-population, retry-after')
}
