// Installs the tarballs and a module for the conformance driver: `node tests/install.mjs FOLDER`.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const dist = join(import.meta.dirname, '../dist')

const module = `import { engine } from '@dezky/sdk-node'
import { createRequire } from 'node:module'
export * from '@dezky/sdk-node'
const { version } = createRequire(import.meta.url)('@dezky/sdk-node/package.json')
export const hello = { runtime: \`node, \${engine}\`, version }
`

/** Installs offline, so that npm does not look for the binaries of other platforms. */
export function install(folder) {
  const tarballs = readdirSync(dist).filter((name) => name.endsWith('.tgz')).map((name) => join(dist, name))
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
  execFileSync('npm', ['install', '--offline', '--no-audit', '--no-fund', '--silent', ...tarballs], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
  writeFileSync(join(folder, 'under-test.mjs'), module)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) install(resolve(process.argv[2]))
