// The package in a browser without a bundler: every way to load it, and every failure.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { launch, visit } from './chromium.mjs'
import { installed } from './installed.mjs'
import { serve } from './server.mjs'

const folders = { sdk: join(installed, 'node_modules/@dezky/sdk-wasm') }
const pages = { '/': '<!doctype html><title>Dezky</title>' }
let browser
before(async () => (browser = await launch()))
after(() => browser.close())

/** Runs a script in a new page of a new server that serves the package at /sdk. */
async function inPage(script, { argument, ...served } = {}) {
  const server = await serve({ folders, pages, ...served })
  try {
    return { ...(await visit(browser, server.origin, script, argument)), requested: server.requested }
  } finally {
    await server.close()
  }
}

/** Definitions for the scripts: a page cannot see this module's scope. */
const helpers = `
  const snapshot = { format: 1, revision: 481, environment: 'production', flags: [{ key: 'everyone', state: 'on' }, { key: 'nobody', state: 'off' }] }
  const acme = { tenantId: 't1', tenantSlug: 'acme', plan: 'business' }
  const enabledKeys = ({ Ruleset }) => Ruleset.fromSnapshot(snapshot).forTenant(acme).enabledKeys().join()
  const codeOf = async (act) => {
    try { await act(); return 'none' } catch (error) { return error.name + ' ' + error.code + ' ' + error.message }
  }
`
const script = (body) => `(async () => { ${helpers} ${body} })()`

test('after one await, the whole API is synchronous', async () => {
  const { value, requested, messages } = await inPage(script(`
    const sdk = await import('/sdk/index.js')
    const before = await codeOf(() => enabledKeys(sdk))
    await sdk.init()
    const { World, validate, can, engine } = sdk
    const world = World.fromJson({ revision: 1, environment: 'production', partners: [], tenants: [], flags: [] })
    return [before, enabledKeys(sdk), world.registered, validate.tenant({}).errors.length, can({ key: { kind: 'server' } }, 'snapshot.read').reason, engine]
  `))
  assert.match(value.shift(), /^DezkyError not_ready /)
  assert.deepEqual(value, ['everyone', 0, 4, 'allowed_key', 'wasm'])
  assert.deepEqual(messages, [])
  assert.deepEqual(requested.filter((path) => path.endsWith('.wasm')).sort(), ['/sdk/flags.wasm', '/sdk/world.wasm'])
})

test('the entry flags does not load world.wasm', async () => {
  const { value, requested } = await inPage(script(`
    const sdk = await import('/sdk/flags.js')
    await sdk.init()
    return [enabledKeys(sdk), Object.keys(sdk).sort()]
  `))
  const names = ['DezkyError', 'Ruleset', 'can', 'changedKeys', 'connect', 'engine', 'init', 'initSync', 'rolloutPosition']
  assert.deepEqual(value, ['everyone', names])
  assert.ok(!requested.some((path) => path.includes('world')), requested.join())
})

test('the next init loads a world that was imported later', async () => {
  const { value, requested } = await inPage(script(`
    const { init } = await import('/sdk/flags.js')
    await init()
    const { validate } = await import('/sdk/index.js')
    const before = await codeOf(() => validate.tenant({}))
    await init()
    return [before, validate.tenant({}).errors.length]
  `))
  assert.match(value[0], /not_ready/)
  assert.equal(value[1], 4)
  assert.deepEqual(requested.filter((path) => path.endsWith('.wasm')), ['/sdk/flags.wasm', '/sdk/world.wasm'])
})

const sources = {
  'an address': `'/sdk/flags.wasm'`,
  'a URL': `new URL('/sdk/flags.wasm', location.href)`,
  'a response': `await fetch('/sdk/flags.wasm')`,
  'a promise of a response': `fetch('/sdk/flags.wasm')`,
  'an ArrayBuffer': `await (await fetch('/sdk/flags.wasm')).arrayBuffer()`,
  'bytes': `new Uint8Array(await (await fetch('/sdk/flags.wasm')).arrayBuffer())`,
  'a compiled module': `await WebAssembly.compileStreaming(fetch('/sdk/flags.wasm'))`,
}
for (const [name, source] of Object.entries(sources)) {
  test(`init takes ${name}`, async () => {
    const { value } = await inPage(script(`
      const sdk = await import('/sdk/flags.js')
      await sdk.init(${source})
      return enabledKeys(sdk)
    `))
    assert.equal(value, 'everyone')
  })
}

test('a module with another content type loads', async () => {
  const bytes = readFileSync(join(folders.sdk, 'flags.wasm'))
  for (const type of ['application/octet-stream', 'application/wasm; charset=utf-8', undefined]) {
    const answer = (path, response) => {
      if (!path.endsWith('.wasm')) return false
      if (type) response.setHeader('content-type', type)
      response.end(bytes)
      return true
    }
    const { value } = await inPage(script(`const sdk = await import('/sdk/flags.js'); await sdk.init(); return enabledKeys(sdk)`), { answer })
    assert.equal(value, 'everyone', type)
  }
})

test('initSync takes bytes and compiled modules', async () => {
  const { value } = await inPage(script(`
    const bytes = async (name) => (await fetch('/sdk/' + name + '.wasm')).arrayBuffer()
    const sdk = await import('/sdk/index.js')
    sdk.initSync(await bytes('flags'), new WebAssembly.Module(await bytes('world')))
    return [enabledKeys(sdk), sdk.validate.tenant({}).errors.length, await codeOf(() => sdk.init())]
  `))
  assert.deepEqual(value, ['everyone', 4, 'none'])
})

test('init takes the addresses of both modules', async () => {
  const { value, requested } = await inPage(script(`
    const sdk = await import('/sdk/index.js')
    await sdk.init('/elsewhere/flags.wasm', '/elsewhere/world.wasm')
    return [enabledKeys(sdk), sdk.validate.tenant({}).errors.length]
  `), { folders: { ...folders, elsewhere: folders.sdk } })
  assert.deepEqual(value, ['everyone', 4])
  assert.deepEqual(requested.filter((path) => path.endsWith('.wasm')), ['/elsewhere/flags.wasm', '/elsewhere/world.wasm'])
})

test('repeated and concurrent calls of init load each module once', async () => {
  const { value, requested } = await inPage(script(`
    const sdk = await import('/sdk/flags.js')
    await Promise.all([sdk.init(), sdk.init()])
    const { Ruleset } = sdk
    const rules = Ruleset.fromSnapshot(snapshot)
    await sdk.init()
    await sdk.init('/nowhere.wasm')
    return rules.forTenant(acme).enabledKeys()
  `))
  assert.deepEqual(value, ['everyone'])
  assert.deepEqual(requested.filter((path) => path.endsWith('.wasm')), ['/sdk/flags.wasm'])
})

test('init reports the cause of a failure and can be called again', async () => {
  let failures = 2
  const answer = (path, response) => path.endsWith('.wasm') && failures-- > 0 && (response.writeHead(503).end(), true)
  const { value } = await inPage(script(`
    const sdk = await import('/sdk/flags.js')
    const codes = await Promise.all([codeOf(() => sdk.init()), codeOf(() => sdk.init())])
    const again = await codeOf(() => sdk.init())
    const page = await codeOf(() => sdk.init('/'))
    const number = await codeOf(() => sdk.init(7))
    const broken = await codeOf(() => sdk.initSync(Uint8Array.of(1)))
    const early = await codeOf(() => enabledKeys(sdk))
    await sdk.init()
    return [...codes, again, page, number, broken, early, enabledKeys(sdk)]
  `), { answer })
  const [first, second, again, page, number, broken, early, enabled] = value
  assert.match(first, /^DezkyError not_ready .*http:\/\/127\.0\.0\.1:\d+\/sdk\/flags\.wasm 503/)
  assert.equal(second, first)
  assert.equal(again, first)
  assert.match(page, /^DezkyError not_ready .*CompileError.*magic word/)
  assert.match(number, /^DezkyError not_ready .*not a source/)
  assert.match(broken, /^DezkyError not_ready .*CompileError/)
  assert.match(early, /^DezkyError not_ready /)
  assert.equal(enabled, 'everyone')
})

const load = script(`const sdk = await import('/sdk/index.js'); const failure = await codeOf(() => sdk.init()); return failure === 'none' ? enabledKeys(sdk) : failure`)

test('a content security policy needs only wasm-unsafe-eval', async () => {
  const policy = (sources) => ({ headers: { 'content-security-policy': `default-src 'none'; connect-src 'self'; script-src ${sources}` } })
  assert.equal((await inPage(load, policy(`'self' 'wasm-unsafe-eval'`))).value, 'everyone')
  const { value } = await inPage(load, policy(`'self'`))
  assert.match(value, /^DezkyError not_ready .*Content Security Policy/)
})

test('reading results loads no engine', async () => {
  const { value, requested } = await inPage(script(`
    const { readResults } = await import('/sdk/results.js')
    const flags = readResults('{"revision":481,"environment":"production","flags":{"everyone":true,"nobody":false}}')
    return [flags.isEnabled('everyone'), flags.isEnabled('nobody'), flags.isEnabled('none'), flags.enabledKeys(), flags.revision]
  `))
  assert.deepEqual(value, [true, false, false, ['everyone'], 481])
  assert.deepEqual(requested.filter((path) => path.startsWith('/sdk')), ['/sdk/results.js'])
})
