// The package on runtimes that import WASM precompiled: Nitro's servers and Cloudflare's workerd.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, test } from 'node:test'
import { build as esbuild } from 'esbuild'
import { build, copyPublicAssets, createNitro, prepare } from 'nitropack'
import { installed } from './installed.mjs'
import { startServer } from './shared/faulty.mjs'
import { runWorker } from './workerd.mjs'

/** A folder without node_modules, because built servers must be self-contained. */
const outputs = mkdtempSync(join(tmpdir(), 'dezky-edge-'))
after(() => rmSync(outputs, { recursive: true }))

const answer = `
  const rules = Ruleset.fromSnapshot({ format: 1, revision: 481, environment: 'production', flags: [{ key: 'everyone', state: 'on' }] })
  const answer = () => ({
    flags: rules.forTenant({ tenantId: 't1', tenantSlug: 'acme', plan: 'business' }).enabledKeys(),
    allowed: can({ key: { kind: 'server' } }, 'snapshot.read').allowed,
  })
`
const population = `() => ({ ...answer(), errors: validate.tenant({}).errors.length })`
const expected = { flags: ['everyone'], allowed: true }
const withPopulation = { ...expected, errors: 4 }

const read = async ({ origin }) => (await fetch(origin)).json()

async function buildNitro(preset, experimental) {
  const rootDir = mkdtempSync(join(installed, 'nitro-'))
  mkdirSync(join(rootDir, 'routes'))
  const route = `import { can, Ruleset, validate } from '@dezky/sdk-wasm'\n${answer}\nexport default defineEventHandler(${population})\n`
  writeFileSync(join(rootDir, 'routes/index.ts'), route)
  const dir = mkdtempSync(join(outputs, `${preset}-`))
  const nitro = await createNitro({ rootDir, preset, experimental, dev: false, logLevel: 1, compatibilityDate: '2026-01-01', output: { dir } })
  for (const step of [prepare, copyPublicAssets, build]) await step(nitro)
  await nitro.close()
  return join(dir, 'server')
}

for (const wasm of [false, true]) {
  test(`a Nitro server for Node runs ${wasm ? 'with' : 'without'} Nitro's WASM support`, async () => {
    const server = await buildNitro('node-server', { wasm })
    const environment = { ...process.env, HOST: '127.0.0.1', PORT: '0' }
    const child = spawn(process.execPath, [join(server, 'index.mjs')], { stdio: ['ignore', 'pipe', 'inherit'], env: environment })
    const ended = once(child, 'exit')
    try {
      for await (const line of createInterface({ input: child.stdout })) {
        const [origin] = line.match(/http:\/\/\S+/) ?? []
        if (!origin) continue
        assert.deepEqual(await read({ origin }), withPopulation)
        return
      }
      assert.fail('the server did not start')
    } finally {
      child.kill()
      await ended
    }
  })
}

async function readWorker(folder, main) {
  const worker = await runWorker(folder, main)
  try {
    return await read(worker)
  } finally {
    await worker.end()
  }
}

test('a Nitro server for Cloudflare runs', async () => {
  const server = await buildNitro('cloudflare-module', { wasm: true })
  assert.deepEqual(await readWorker(server, 'index.mjs'), withPopulation)
})

async function buildWorker(contents) {
  const outdir = mkdtempSync(join(outputs, 'worker-'))
  await esbuild({
    stdin: { contents, resolveDir: installed, sourcefile: 'worker.js' }, outdir, entryNames: 'worker', assetNames: '[name]', bundle: true,
    format: 'esm', target: 'es2022', conditions: ['workerd', 'worker', 'browser'], loader: { '.wasm': 'copy' }, logLevel: 'warning',
  })
  return outdir
}

const worker = (call) => `export default { fetch: () => Response.json((${call})()) }`

test('a Cloudflare worker runs', async () => {
  const folder = await buildWorker(`import { can, Ruleset, validate } from '@dezky/sdk-wasm'\n${answer}\n${worker(population)}`)
  assert.deepEqual(await readWorker(folder, 'worker.js'), withPopulation)
})

test('a worker that only reads flags contains only flags.wasm', async () => {
  const folder = await buildWorker(`import { can, init, Ruleset } from '@dezky/sdk-wasm'\nawait init()\n${answer}\n${worker('answer')}`)
  assert.deepEqual(await readWorker(folder, 'worker.js'), expected)
  assert.deepEqual(readdirSync(folder).sort(), ['config.capnp', 'flags.wasm', 'worker.js'])
})

test('a worker can connect while it answers a request', async () => {
  const server = await startServer({ revision: 7, keys: ['everyone'] })
  const main = `import { connect } from '@dezky/sdk-wasm'
    const read = async () => {
      using client = await connect({ url: '${server.url}', key: 'dzk_test' })
      const changed = new Promise((tell) => client.on('change', ({ keys }) => tell(keys)))
      return Response.json([client.status, client.ruleset.revision, await changed, client.isEnabled('everyone', { tenantId: 't1', tenantSlug: 'acme', plan: 'free' })])
    }
    export default { fetch: read }`
  const folder = await buildWorker(main)
  const worker = await runWorker(folder, 'worker.js')
  try {
    const answer = read(worker)
    while (!server.streams.size) await new Promise((resolve) => setTimeout(resolve, 5))
    server.publish(8, ['nobody'])
    assert.deepEqual(await answer, ['ready', 7, ['everyone', 'nobody'], false])
    assert.match(server.requests[0].headers['dezky-instance'], /^edge-/)
  } finally {
    await worker.end()
    await server.close()
  }
})
