// The driver of @dezky/sdk-node: `node node.mjs FOLDER OPTIONS`. It answers questions, one line of
// JSON each. The package is installed in FOLDER.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { questions } from './questions.mjs'

const [folder, options] = process.argv.slice(2)
const { connect } = createRequire(join(folder, 'package.json'))('@dezky/sdk-node')
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`)

let client
try {
  client = await connect(JSON.parse(options))
} catch ({ code, message }) {
  say({ failed: code, message })
}
if (client) {
  const ask = questions(client, say, () => Number(process.hrtime.bigint()) / 1e6)
  // Collects garbage first, so that it does not count as a leak.
  const collect = () => (globalThis.gc?.(), process.memoryUsage())
  const lines = createInterface({ input: process.stdin })
  lines.on('line', async (line) => {
    const question = JSON.parse(line)
    // The process now ends unless the client left a handle open.
    if (question.ask === 'end') return lines.close(), process.stdin.destroy()
    say({ id: question.id, ...(question.ask === 'collect' ? collect() : await ask(question)) })
  })
  say({ connected: 'node' })
}
