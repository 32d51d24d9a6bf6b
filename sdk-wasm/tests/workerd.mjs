// Runs a worker in workerd, where compiling WASM at run time is forbidden.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, writeFileSync } from 'node:fs'
import { dirname, extname, join } from 'node:path'
import { createInterface } from 'node:readline'
import workerd from 'workerd'

const KINDS = { '.js': 'esModule', '.mjs': 'esModule', '.wasm': 'wasm' }

/** Starts a worker from the files of a folder. Returns its origin and a function that ends it. */
export async function runWorker(folder, main, { compatibilityFlags = [] } = {}) {
  const names = readdirSync(folder, { recursive: true }).filter((name) => extname(name) in KINDS)
  // workerd resolves a bare name beside its importer. Nitro imports this manifest of static files,
  // which is empty here.
  const manifests = [...new Set(names.map((name) => join(dirname(name), '__STATIC_CONTENT_MANIFEST')))]
  const modules = [main, ...names.filter((name) => name !== main)]
    .map((name) => `(name = "${name}", ${KINDS[extname(name)]} = embed "${name}")`)
    .concat(manifests.map((name) => `(name = "${name}", text = "{}")`))
  const flags = compatibilityFlags.map((flag) => `"${flag}"`)
  const config = join(folder, 'config.capnp')
  writeFileSync(config, `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "internet", network = (allow = ["local"])), (name = "main", worker = (
    compatibilityDate = "2026-01-01", compatibilityFlags = [${flags}], modules = [${modules}]
  ))],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")]
);
`)
  const child = spawn(workerd.default ?? workerd, ['serve', config, '--control-fd=3'], { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] })
  const ended = once(child, 'exit')
  const end = () => (child.kill(), ended)
  for await (const line of createInterface({ input: child.stdio[3] })) {
    const { event, port } = JSON.parse(line)
    if (event === 'listen') return { origin: `http://127.0.0.1:${port}`, end }
  }
  throw new Error('the worker did not start')
}
