// The package bundled by Vite and webpack: a page that only reads flags downloads only flags.wasm.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import * as vite from 'vite'
import webpack from 'webpack'
import { launch, visit } from './chromium.mjs'
import { installed } from './installed.mjs'
import { serve } from './server.mjs'

let browser
before(async () => (browser = await launch()))
after(() => browser.close())

const setup = `
  const snapshot = { format: 1, revision: 481, environment: 'production', flags: [{ key: 'everyone', state: 'on' }] }
  const acme = { tenantId: 't1', tenantSlug: 'acme', plan: 'business' }
  const answers = () => [Ruleset.fromSnapshot(snapshot).forTenant(acme).isEnabled('everyone'), can({ key: { kind: 'server' } }, 'snapshot.read').allowed]
`
const apps = {
  flags: `import { init, Ruleset, can } from '@dezky/sdk-wasm'
    ${setup}
    globalThis.answer = init().then(() => answers())`,
  everything: `import { init, Ruleset, can, validate, World } from '@dezky/sdk-wasm'
    ${setup}
    const world = { revision: 1, environment: 'production', partners: [], tenants: [], flags: [] }
    globalThis.answer = init().then(() => [...answers(), World.fromJson(world).registered, validate.tenant({}).errors.length])`,
  later: `import { init, Ruleset, can } from '@dezky/sdk-wasm'
    ${setup}
    const more = async () => {
      const { init, validate } = await import('./later.js')
      await init()
      return [...answers(), validate.tenant({}).errors.length]
    }
    globalThis.answer = init().then(more)`,
  openfeature: `import { init, Ruleset } from '@dezky/sdk-wasm'
    import { DezkyProvider } from '@dezky/sdk-wasm/openfeature'
    import { OpenFeature, ProviderEvents } from '@openfeature/web-sdk'
    const snapshot = { format: 1, revision: 481, environment: 'production', flags: [{ key: 'portal', state: 'targeted', scope: { plans: ['business'] } }] }
    globalThis.answer = (async () => {
      await init()
      const provider = new DezkyProvider(snapshot)
      await OpenFeature.setContext({ targetingKey: 't1', tenantSlug: 'acme', plan: 'business' })
      await OpenFeature.setProviderAndWait(provider)
      const client = OpenFeature.getClient()
      const { value, reason, variant } = client.getBooleanDetails('portal', false)
      const changed = new Promise((tell) => client.addHandler(ProviderEvents.ConfigurationChanged, ({ flagsChanged }) => tell(flagsChanged)))
      provider.replace({ ...snapshot, revision: 482, flags: [] })
      const { errorCode } = client.getBooleanDetails('portal', false)
      return [value, reason, variant, await changed, errorCode, provider.rules instanceof Ruleset]
    })()`,
}
const expected = {
  flags: [true, true], everything: [true, true, 0, 4], later: [true, true, 4],
  openfeature: [true, 'TARGETING_MATCH', 'on', ['portal'], 'FLAG_NOT_FOUND', true],
}
const downloads = { flags: ['flags'], everything: ['flags', 'world'], later: ['flags', 'world'], openfeature: ['flags'] }

function makeApp(name) {
  const folder = mkdtempSync(join(installed, 'app-'))
  writeFileSync(join(folder, 'main.js'), apps[name])
  writeFileSync(join(folder, 'later.js'), "export { init, validate } from '@dezky/sdk-wasm'\n")
  writeFileSync(join(folder, 'index.html'), '<!doctype html><title>Dezky</title><script type="module" src="/main.js"></script>')
  return folder
}

const bundlers = {
  async vite(root) {
    await vite.build({ root, logLevel: 'error', configFile: false, build: { outDir: 'out' } })
  },
  async webpack(context) {
    const output = { path: join(context, 'out'), filename: 'main.js', publicPath: '/' }
    const stats = await promisify(webpack)({ mode: 'production', context, entry: './main.js', output })
    assert.deepEqual(stats.toJson().errors, [])
    writeFileSync(join(context, 'out/index.html'), '<!doctype html><title>Dezky</title><script defer src="/main.js"></script>')
  },
}

const policy = { 'content-security-policy': `default-src 'none'; connect-src 'self'; script-src 'self' 'wasm-unsafe-eval'` }

/**
 * Returns the WASM modules that were requested, identified by content because bundlers rename them.
 */
function modulesOf(paths, root) {
  const bytesOf = (name) => readFileSync(join(installed, 'node_modules/@dezky/sdk-wasm', `${name}.wasm`))
  const isIn = (file) => (name) => bytesOf(name).equals(readFileSync(file))
  const files = paths.filter((path) => path.endsWith('.wasm')).map((path) => join(root, path))
  return files.map((file) => ['flags', 'world'].find(isIn(file)) ?? file).sort()
}

for (const [name, bundle] of Object.entries(bundlers)) {
  for (const app of Object.keys(apps)) {
    test(`${name} builds the app ${app}`, async () => {
      const folder = makeApp(app)
      await bundle(folder)
      const root = join(folder, 'out')
      const server = await serve({ root, headers: policy })
      try {
        const { value, messages } = await visit(browser, `${server.origin}/index.html`, 'globalThis.answer')
        assert.deepEqual({ value, messages }, { value: expected[app], messages: [] })
        assert.deepEqual(modulesOf(server.requested, root), downloads[app])
      } finally {
        await server.close()
      }
    })
  }
}

for (const app of Object.keys(apps)) {
  test(`the development server of vite runs the app ${app}`, async () => {
    const server = await vite.createServer({ root: makeApp(app), logLevel: 'error', configFile: false, server: { host: '127.0.0.1', port: 0 } })
    try {
      await server.listen()
      const { port } = server.httpServer.address()
      const { value } = await visit(browser, `http://127.0.0.1:${port}/`, 'globalThis.answer')
      assert.deepEqual(value, expected[app])
    } finally {
      await server.close()
    }
  })
}
