// What the README shows is what happens: each JavaScript example prints what its comments say.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const readme = readFileSync(join(import.meta.dirname, 'node_modules/@dezky/sdk-node/README.md'), 'utf8')

for (const [, example] of readme.matchAll(/```js\n([^]*?)```/g)) {
  test(`the example that begins with ${example.split('\n')[0]}`, () => {
    const expected = [...example.matchAll(/console\.log\(.*\) \/\/ (.*)$/gm)].map(([, comment]) => comment)
    assert.ok(expected.length > 0)
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module'], { cwd: import.meta.dirname, input: example, encoding: 'utf8' })
    assert.deepEqual([stdout.trimEnd().replace(/\n +| *\n(?=[}\]])/g, ' ').split('\n'), stderr], [expected, ''])
  })
}
