// Runs the examples of the README.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { launch, visit } from './chromium.mjs'
import { installed } from './installed.mjs'
import { serve } from './server.mjs'
import { startServer } from './shared/faulty.mjs'

const readme = readFileSync(join(installed, 'node_modules/@dezky/sdk-wasm/README.md'), 'utf8')
const block = (language) => readme.match(new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``))[1]

test('the first example prints the output shown', () => {
  const [command, ...output] = block('text').split('\n')
  assert.equal(command, '$ node first.mjs')
  writeFileSync(join(installed, 'first.mjs'), block('js'))
  assert.equal(execFileSync(process.execPath, ['first.mjs'], { cwd: installed, encoding: 'utf8' }), output.join('\n'))
})

test('the example page without a bundler works', async () => {
  const server = await serve({ root: installed, pages: { '/': block('html') } })
  const browser = await launch()
  try {
    const title = `new Promise((done) => setInterval(() => document.title && done(document.title), 10))`
    assert.deepEqual(await visit(browser, server.origin, title), { value: 'hello', messages: [] })
  } finally {
    await browser.close()
    await server.close()
  }
})

test('the live client example renders the current flags and changes', async () => {
  const example = readme.match(/```js\n(import { connect }[^]*?)```/)[1]
  const [flags, pages] = [await startServer({ cors: true, keys: ['first'] }), await serve({ root: installed, pages: { '/': '<!doctype html>' } })]
  flags.subjects.acme = { tenantId: 't1', tenantSlug: 'acme', plan: 'business' }
  const browser = await launch()
  try {
    const program = example.replace('https://flags.example.com', flags.url).replace('@dezky/sdk-wasm', '/node_modules/@dezky/sdk-wasm/flags.js')
    const page = await browser.newPage()
    await page.goto(pages.origin)
    const setup = 'globalThis.rendered = []; globalThis.render = (keys) => rendered.push(...keys); globalThis.askForToken = async () => "token"'
    await page.evaluate(setup)
    await page.addScriptTag({ type: 'module', content: program })
    await page.waitForFunction('rendered.length === 1')
    while (!flags.streams.size) await page.waitForTimeout(5)
    flags.publish(2, ['second'])
    await page.waitForFunction('rendered.length === 2')
    assert.deepEqual(await page.evaluate('rendered'), ['first', 'second'])
    assert.deepEqual([flags.requests[0].path, flags.requests[0].headers.authorization], ['/flags/slice?tenant=acme', 'Bearer token'])
  } finally {
    await browser.close()
    await Promise.all([flags.close(), pages.close()])
  }
})

test('the sizes in the README are those of the build', () => {
  const { flags } = JSON.parse(readFileSync(join(import.meta.dirname, '../dist/sizes.json'), 'utf8'))
  assert.ok(readme.includes(`${(flags.javascript.brotli / 1024).toFixed(1)} | ${(flags.brotli / 1024).toFixed(1)} |`))
})
