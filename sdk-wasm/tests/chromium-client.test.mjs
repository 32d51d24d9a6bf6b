// The live client in a page, connected to a server of another origin.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { launch } from './chromium.mjs'
import { installed } from './installed.mjs'
import { serve } from './server.mjs'
import { digestOf, faults, startServer } from './shared/faulty.mjs'

let browser, pages, otherServer
before(async () => {
  browser = await launch()
  otherServer = await startServer({ cors: true })
  pages = await serve({ folders: { sdk: join(installed, 'node_modules/@dezky/sdk-wasm') }, pages: { '/': '<!doctype html><title>Dezky</title>' } })
})
after(() => Promise.all([browser.close(), pages.close(), otherServer.close()]))

/**
 * Runs `act` with a page whose `globalThis.client` follows a server and records events in
 * `globalThis.events`.
 */
async function withClient(act, options = {}) {
  const server = await startServer({ cors: true, revision: 1, keys: ['a', 'b'] })
  const page = await browser.newPage()
  const failures = []
  page.on('pageerror', (error) => failures.push(String(error)))
  try {
    await page.goto(pages.origin)
    await page.evaluate(async ({ url, options }) => {
      const { connect } = await import('/sdk/flags.js')
      const timing = { pollInterval: 200, minBackoff: 10, requestTimeout: 2_000 }
      globalThis.client = await connect({ url, key: 'dzk_test', maxBackoff: 50, timing, ...options })
      globalThis.events = []
      for (const name of ['ready', 'change', 'stale', 'error']) client.on(name, (event) => events.push([name, event.keys ?? event.code]))
    }, { url: server.url, options })
    await act(server, page)
    assert.deepEqual(failures, [])
  } finally {
    await page.close()
    await server.close()
  }
}

const eventsOf = (page) => page.evaluate('events')
const isEnabled = (key) => `client.isEnabled('${key}', { tenantId: 't1', tenantSlug: 'acme', plan: 'business' })`

test('connect loads the engine, follows changes, confirms them, and signs off', () =>
  withClient(async (server, page) => {
    assert.deepEqual(await page.evaluate(`[client.status, client.ruleset.revision, ${isEnabled('a')}, ${isEnabled('c')}]`), ['ready', 1, true, false])
    await page.waitForFunction('events.length === 1')
    while (!server.streams.size) await page.waitForTimeout(5)
    server.publish(2, ['b', 'c'])
    await page.waitForFunction(isEnabled('c'))
    assert.deepEqual(await eventsOf(page), [['ready', undefined], ['change', ['a', 'c']]])
    const digest = server.digest
    const isConfirmed = ({ headers }) => headers['dezky-digest'] === digest && headers['if-none-match'] === `"${digest}"`
    while (!server.snapshots.some(isConfirmed)) await page.waitForTimeout(5)
    for (const { headers } of server.requests) {
      assert.deepEqual([headers.authorization, headers.cookie], ['Bearer dzk_test', undefined])
      assert.match(headers['dezky-instance'], /^browser-[0-9a-f]{16}$/)
    }
    await page.evaluate('client.close()')
    const isSignOff = ({ headers }) => headers['dezky-closing'] === '1'
    while (server.streams.size || !server.requests.some(isSignOff)) await page.waitForTimeout(5)
    const { length } = server.requests
    await page.waitForTimeout(500)
    assert.equal(server.requests.length, length)
  }))

test('faults are reported as events, and the client recovers', () =>
  withClient(async (server, page) => {
    server.next.push(faults.truncate, faults.corrupt, faults.malformed, faults.status(302, { location: `${otherServer.url}/flags/snapshot` }), faults.status(429, { 'retry-after': '1' }))
    server.publish(2, ['c'])
    const began = performance.now()
    await page.waitForFunction(isEnabled('c'))
    assert.ok(performance.now() - began > 900, 'the client must wait for retry-after')
    const codes = ['unreachable', 'digest_mismatch', 'bad_snapshot', 'unexpected_status', 'rate_limited']
    assert.deepEqual((await eventsOf(page)).map(([name, detail]) => (name === 'error' ? detail : name)), ['ready', ...codes, 'change'])
    assert.deepEqual(otherServer.requests, [])
    server.publish(1, ['old'])
    await page.waitForFunction(`events.at(-1)[1] === 'older_revision'`)
    server.always = faults.status(401)
    await page.waitForFunction(`client.status === 'refused'`)
    assert.equal(await page.evaluate(isEnabled('c')), true)
    server.always = undefined
    server.publish(3, ['d'])
    await page.waitForFunction(`client.status === 'ready' && ${isEnabled('d')}`)
  }))

test('a client closed on pagehide signs off', () =>
  withClient(async (server, page) => {
    while (!server.streams.size) await page.waitForTimeout(5)
    await page.evaluate(`addEventListener('pagehide', () => client.close())`)
    await page.goto('about:blank')
    const began = performance.now()
    while (!server.requests.some(({ headers }) => headers['dezky-closing'])) {
      assert.ok(performance.now() - began < 5_000, 'no sign-off request arrived')
      await page.waitForTimeout(5)
    }
  }))

test('the option file is rejected in a page', () =>
  withClient(async (server, page) => {
    const problem = await page.evaluate(async (url) => {
      const { connect } = await import('/sdk/flags.js')
      return connect({ url, key: 'k', file: '/tmp/good.json' }).catch(({ code, path }) => [code, path])
    }, server.url)
    assert.deepEqual(problem, ['invalid_option', '/file'])
    assert.equal(digestOf(server.text), await page.evaluate('client.ruleset.digest'))
  }))
