// Follows a server with the installed @dezky/sdk-node and answers questions, one line of JSON each: `node node.mjs FOLDER OPTIONS`.
// FOLDER is where the package is installed.
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
  // What was collected must not count as a leak.
  const collect = () => (globalThis.gc?.(), process.memoryUsage())
  const lines = createInterface({ input: process.stdin })
  lines.on('line', async (line) => {
    const question = JSON.parse(line)
    // What is left running then keeps the process alive, and the tests notice.
    if (question.ask === 'end') return lines.close(), process.stdin.destroy()
    say({ id: question.id, ...(question.ask === 'collect' ? collect() : await ask(question)) })
  })
  say({ connected: 'node' })
}
