// Installs the tarball and a module for the conformance driver: `node tests/install.mjs FOLDER`.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const here = import.meta.dirname
const { version } = JSON.parse(readFileSync(join(here, '../package.json'), 'utf8'))
const folder = resolve(process.argv[2])

mkdirSync(folder, { recursive: true })
writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
const tarball = join(here, `../dist/dezky-sdk-wasm-${version}.tgz`)
execFileSync('npm', ['install', '--offline', '--no-audit', '--no-fund', '--silent', tarball], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
writeFileSync(join(folder, 'under-test.mjs'), `export * from '@dezky/sdk-wasm'\nexport const hello = { runtime: 'wasm', version: '${version}' }\n`)
