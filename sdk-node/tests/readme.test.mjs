// Runs each JavaScript example of the README and compares its output with the comments.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import { startServer } from './faulty.mjs'

const readme = readFileSync(join(import.meta.dirname, 'node_modules/@dezky/sdk-node/README.md'), 'utf8')

let server
before(async () => {
  server = await startServer({ revision: 481, keys: ['new-portal'] })
  server.subjects.acme = { tenantId: 't1', tenantSlug: 'acme', plan: 'business', partnerSlug: 'nordic' }
})
after(() => server.close())

/** Runs a program in a new folder and returns its output. */
async function run(program) {
  const cwd = mkdtempSync(join(import.meta.dirname, 'readme-'))
  symlinkSync(join(import.meta.dirname, 'node_modules'), join(cwd, 'node_modules'))
  const environment = { ...process.env, DEZKY_URL: server.url, DEZKY_KEY: 'dzk_test' }
  const child = spawn(process.execPath, ['--input-type=module'], { cwd, env: environment, timeout: 20_000 })
  child.stdin.end(program)
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  return { stdout, stderr }
}

for (const [, example] of readme.matchAll(/```js\n([^]*?)```/g)) {
  test(`the example prints its comments: ${example.split('\n')[0]}`, async () => {
    const expected = [...example.matchAll(/console\.log\(.*\) \/\/ (.*)$/gm)].map(([, comment]) => comment)
    assert.ok(expected.length > 0)
    const { stdout, stderr } = await run(example)
    assert.deepEqual([stdout.trimEnd().replace(/\n +| *\n(?=[}\]])/g, ' ').split('\n'), stderr], [expected, ''])
  })
}
