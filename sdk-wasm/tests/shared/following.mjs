// Helpers of the live client's suites: servers, clients with short timeouts, and waiting.
import assert from 'node:assert/strict'
import { after } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { startServer } from './faulty.mjs'
import { sdk } from './sdk.mjs'

export const key = 'dzk_test'
export const tenant = { tenantId: 't1', tenantSlug: 'acme', plan: 'business' }
export const timing = { pollInterval: 10_000, minBackoff: 5, requestTimeout: 2_000, silence: 10_000, settled: 100, spacing: 50 }

const opened = []
after(async () => {
  for (const one of opened) await one.close()
})

export async function serve(options) {
  const server = await startServer(options)
  opened.push(server)
  return server
}

export async function connect(server, { timing: times, ...options } = {}) {
  const client = await sdk.connect({ url: server.url, key, maxBackoff: 40, ...options, timing: { ...timing, ...times } })
  opened.push(client)
  return client
}

/** Collects every event of a client from now on, as a list of `[name, event]`. */
export function listen(client) {
  const events = []
  for (const name of ['ready', 'change', 'stale', 'error']) client.on(name, (event) => events.push([name, event]))
  return events
}

export const namesOf = (events) => events.map(([name, { code }]) => code ?? name)

/** Waits until the server has one open stream. */
export const isStreaming = (server) => until(() => server.streams.size === 1)

/** Starts a server and a client, and waits until the client has confirmed its snapshot. */
export async function follow(options, served) {
  const server = await serve(served)
  const client = await connect(server, options)
  const events = listen(client)
  await isStreaming(server)
  await until(() => server.snapshots.length >= 2 && events.length)
  return { server, client, events }
}

/** Waits until `read` returns a truthy value, and returns the value. */
export async function until(read, limit = 8_000) {
  const end = performance.now() + limit
  for (;;) {
    const found = read()
    if (found) return found
    if (performance.now() > end) assert.fail(`timed out waiting for: ${read}`)
    await wait(2)
  }
}

/** Runs `act`, which must reject with a DezkyError, and returns the error. */
export const rejectionOf = async (act) => {
  const error = await act().then(() => assert.fail('no error was thrown'), (error) => error)
  assert.ok(error instanceof sdk.DezkyError, error.stack)
  return error
}
