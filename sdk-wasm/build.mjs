// Builds dist/: the package, its tarball and sizes.json. Fails if a size exceeds its limit.
import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { build } from 'esbuild'
import { buildModule } from './build/module.mjs'
import { judge, measure, toTable } from './build/sizes.mjs'

const here = import.meta.dirname
const root = dirname(here)
const dist = join(here, 'dist')
const out = join(dist, 'package')
const manifest = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8'))

/**
 * Modules that each core bundle contains. Other bundles import them from the core, so that each
 * class exists once.
 */
const IN_CORE = /(^|\/)(core|buffers|lazy|loading|access|changed|current|error|flags|ruleset|write)\.js$/

checkVersion()
rmSync(dist, { recursive: true, force: true })
mkdirSync(out, { recursive: true })
buildModule('evaluation', join(out, 'flags.wasm'))
buildModule('population', join(out, 'world.wasm'))
await bundle()
declareTypes()
writeManifest()
const sizes = await measure(out)
writeFileSync(join(dist, 'sizes.json'), `${JSON.stringify(sizes, null, 2)}\n`)
writeReadme(sizes)
run('npm', ['pack', '--silent', '--pack-destination', dist], { cwd: out })
judge(sizes)

/**
 * Bundles a core, a client and a world per platform, each in its own folder; the browser's are at
 * the top.
 */
async function bundle() {
  for (const platform of ['.', 'node', 'workerd', 'module']) {
    const minify = platform === '.'
    const from = `./typescript/${platform}`
    const to = join(out, platform)
    await script(`${from}/core.ts`, join(to, 'core.js'), { minify, plugins: [modules()] })
    await script(`${from}/world.ts`, join(to, 'world.js'), { minify, plugins: [beside(IN_CORE, './core.js'), modules()] })
    await script(`${from}/client.ts`, join(to, 'client.js'), { minify, plugins: [beside(IN_CORE, './core.js')] })
    for (const name of ['flags', 'index', 'openfeature']) {
      const plugins = [beside(/^\.\/(client|flags|index|world)\.js$/), beside(IN_CORE, './core.js')]
      await script(`./typescript/${name}.ts`, join(to, `${name}.js`), { minify, plugins })
    }
  }
  await script('./typescript/results.ts', join(out, 'results.js'), { minify: true })
  const banner = { js: '#!/usr/bin/env node' }
  await script('./typescript/dezky-types.ts', join(out, 'dezky-types.js'), { banner, plugins: [beside(IN_CORE, './node/core.js')] })
  chmodSync(join(out, 'dezky-types.js'), 0o755)
}

function script(from, outfile, options) {
  return build({
    absWorkingDir: here, entryPoints: [from], outfile, bundle: true, format: 'esm', target: 'es2022', charset: 'utf8', logLevel: 'warning',
    // package.json marks the package as free of side effects for users' bundlers; keep them here.
    ignoreAnnotations: true, external: ['node:*', '@openfeature/*'], ...options,
  })
}

/** Leaves imports of separately bundled files external. */
function beside(filter, path) {
  const setup = ({ onResolve }) =>
    onResolve({ filter }, (found) => (found.kind === 'entry-point' ? undefined : { path: path ?? found.path, external: true }))
  return { name: 'beside', setup }
}

/** Rewrites imports of WASM modules, which are one level above a platform's folder. */
function modules() {
  const setup = ({ onResolve }) => onResolve({ filter: /\.wasm/ }, ({ path }) => ({ path: `.${path}`, external: true }))
  return { name: 'modules', setup }
}

function declareTypes() {
  const options = ['--noEmit', 'false', '--declaration', '--emitDeclarationOnly', '--stripInternal', '--rootDir', 'typescript']
  run(join(here, 'node_modules/.bin/tsc'), ['--project', '.', ...options, '--outDir', join(out, 'types')])
}

function writeManifest() {
  const { scripts, devDependencies, overrides, ...published } = manifest
  writeFileSync(join(out, 'package.json'), `${JSON.stringify(published, null, 2)}\n`)
  copyFileSync(join(root, 'LICENSE'), join(out, 'LICENSE'))
}

/** Writes the sizes of this build into the README. */
function writeReadme(sizes) {
  const file = join(here, 'README.md')
  const [before, after] = readFileSync(file, 'utf8').split(/(?<=<!-- sizes -->\n)[^]*(?=<!-- \/sizes -->)/)
  writeFileSync(file, `${before}${toTable(sizes)}${after}`)
  copyFileSync(file, join(out, 'README.md'))
}

/** Checks that package.json has the version of the Rust workspace. */
function checkVersion() {
  const [, version] = readFileSync(join(root, 'Cargo.toml'), 'utf8').match(/^version = "(.+)"$/m)
  if (version !== manifest.version) throw new Error(`package.json has version ${manifest.version}, Cargo.toml ${version}`)
}

function run(program, args, options) {
  execFileSync(program, args, { cwd: here, stdio: ['ignore', 'inherit', 'inherit'], ...options })
}
