// The conformance driver of the JavaScript packages: `node driver.mjs SDK`, where SDK is a module that exports what the package under
// test does, ready to use, and `hello`, what to call it.
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import { answer } from './answer.mjs'

const sdk = await import(pathToFileURL(resolve(process.argv[2])))
for await (const line of createInterface({ input: process.stdin })) process.stdout.write(`${answer(sdk, line)}\n`)
