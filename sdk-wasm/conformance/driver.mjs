// The conformance driver for Node: `node driver.mjs SDK`.
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import { answer } from './answer.mjs'

// SDK is a module that exports the package under test, ready to use, and `hello`: its name and
// version.
const sdk = await import(pathToFileURL(resolve(process.argv[2])))
for await (const line of createInterface({ input: process.stdin })) process.stdout.write(`${answer(sdk, line)}\n`)
