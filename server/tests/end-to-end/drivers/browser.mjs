// The driver of @dezky/sdk-wasm in headless Chromium: `node browser.mjs FOLDER ORIGIN OPTIONS`. It
// answers questions, one line of JSON each. The page has the ORIGIN, which is not the server's.
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { launch } from '../../../../sdk-wasm/tests/chromium.mjs'
import { serve } from '../../../../sdk-wasm/tests/server.mjs'

const [folder, origin, options] = process.argv.slice(2)
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`)
const folders = { sdk: join(folder, 'node_modules/@dezky/sdk-wasm'), drivers: import.meta.dirname }
const pages = await serve({ folders, pages: { '/': '<!doctype html><title>Dezky</title>' }, port: new URL(origin).port })
const browser = await launch()
const page = await browser.newPage()
page.on('pageerror', (error) => say({ pageerror: String(error) }))
await page.exposeFunction('say', say)
await page.goto(origin)
const failure = await page.evaluate(async (options) => {
  const { connect } = await import('/sdk/flags.js')
  const { questions } = await import('/drivers/questions.mjs')
  try {
    globalThis.client = await connect(options)
  } catch ({ code, message }) {
    return { failed: code, message }
  }
  globalThis.answer = questions(client, (line) => say(line), () => performance.timeOrigin + performance.now())
}, JSON.parse(options))
say(failure ?? { connected: 'browser' })

const end = async () => {
  lines.close()
  process.stdin.destroy()
  await browser.close()
  await pages.close()
}
const lines = createInterface({ input: process.stdin })
lines.on('line', async (line) => {
  const question = JSON.parse(line)
  if (question.ask === 'end') return end()
  say({ id: question.id, ...(await page.evaluate((question) => answer(question), question)) })
})
// The test has ended.
lines.on('close', () => end())
if (failure) await end()
