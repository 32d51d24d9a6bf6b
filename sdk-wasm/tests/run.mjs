// Runs `npm test`: installs the packed package and runs every suite against it.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const here = import.meta.dirname
const { version } = JSON.parse(readFileSync(join(here, '../package.json'), 'utf8'))
const folder = mkdtempSync(join(tmpdir(), 'dezky-wasm-'))
const suitesOf = (directory) => readdirSync(directory).filter((name) => name.endsWith('.test.mjs')).map((name) => join(directory, name))

function run(program, args, environment = {}, cwd = folder) {
  const { status } = spawnSync(program, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, ...environment } })
  if (status !== 0) process.exitCode = 1
}

try {
  writeFileSync(join(folder, 'package.json'), '{ "type": "module", "private": true }\n')
  run('npm', ['install', '--silent', '--no-audit', '--no-fund', join(here, `../dist/dezky-sdk-wasm-${version}.tgz`)])
  // The peer dependency, at the version of package-lock.json.
  cpSync(join(here, '../node_modules/@openfeature'), join(folder, 'node_modules/@openfeature'), { recursive: true })
  cpSync(join(here, 'shared'), join(folder, 'shared'), { recursive: true })
  cpSync(join(here, 'results.test.mjs'), join(folder, 'shared/results.test.mjs'))
  const shared = { DEZKY_PACKAGE: '@dezky/sdk-wasm', OPENFEATURE_SDK: '@openfeature/web-sdk' }
  run(process.execPath, ['--expose-gc', '--test', ...suitesOf(join(folder, 'shared'))], shared)
  run(process.execPath, ['--expose-gc', '--test', ...suitesOf(here).filter((suite) => !suite.endsWith('results.test.mjs'))], { DEZKY_INSTALLED: folder }, join(here, '..'))
} finally {
  rmSync(folder, { recursive: true, force: true })
}
