// What the README promises of the first minute.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { launch, visit } from './chromium.mjs'
import { installed } from './installed.mjs'
import { serve } from './server.mjs'

const readme = readFileSync(join(installed, 'node_modules/@dezky/sdk-wasm/README.md'), 'utf8')
const block = (language) => readme.match(new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``))[1]

test('the first program prints what is printed there', () => {
  const [command, ...output] = block('text').split('\n')
  assert.equal(command, '$ node first.mjs')
  writeFileSync(join(installed, 'first.mjs'), block('js'))
  assert.equal(execFileSync(process.execPath, ['first.mjs'], { cwd: installed, encoding: 'utf8' }), output.join('\n'))
})

test('the page without a bundler works as it stands', async () => {
  const server = await serve({ root: installed, pages: { '/': block('html') } })
  const browser = await launch()
  try {
    const title = `new Promise((done) => setInterval(() => document.title && done(document.title), 10))`
    assert.deepEqual(await visit(browser, server.origin, title), { value: 'hello', said: [] })
  } finally {
    await browser.close()
    await server.close()
  }
})

test('its sizes are those of the build', () => {
  const { flags } = JSON.parse(readFileSync(join(import.meta.dirname, '../dist/sizes.json'), 'utf8'))
  assert.ok(readme.includes(`${(flags.javascript.brotli / 1024).toFixed(1)} | ${(flags.brotli / 1024).toFixed(1)} |`))
})
