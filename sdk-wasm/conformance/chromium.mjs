// The conformance driver for a browser: `node chromium.mjs PACKAGE_FOLDER`.
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { launch } from '../tests/chromium.mjs'
import { serve } from '../tests/server.mjs'

const sdk = resolve(process.argv[2])
const { version } = JSON.parse(readFileSync(join(sdk, 'package.json'), 'utf8'))
const page = `<!doctype html><title>Dezky</title><script type="module">
  import * as sdk from '/sdk/index.js'
  import { answer } from '/conformance/answer.mjs'
  const hello = { runtime: 'wasm-chromium', version: '${version}' }
  globalThis.answer = sdk.init().then(() => (line) => answer({ ...sdk, hello }, line))
</script>`

const server = await serve({ folders: { sdk, conformance: import.meta.dirname }, pages: { '/': page } })
const browser = await launch()
try {
  const tab = await browser.newPage()
  await tab.goto(server.origin)
  for await (const line of createInterface({ input: process.stdin })) {
    const reply = await tab.evaluate(async (request) => (await globalThis.answer)(request), line)
    process.stdout.write(`${reply}\n`)
  }
} finally {
  await browser.close()
  await server.close()
}
