// Builds dist/: the package, the binary for one Rust target (default: the host), and tarballs.
import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { wasmPackage } from './wasm-package.mjs'

const here = import.meta.dirname
const root = join(here, '..')
const dist = join(here, 'dist')
const out = join(dist, 'package')
const readJson = (name) => JSON.parse(readFileSync(join(here, name), 'utf8'))
const manifest = readJson('package.json')
const platforms = readJson('platforms.json')
const { name: packageName, version } = manifest
const nameOf = (platform) => `${packageName}-${platform.name}`

rmSync(dist, { recursive: true, force: true })
mkdirSync(out, { recursive: true })
await bundle()
declareTypes()
pack(out, {
  ...manifest,
  scripts: undefined,
  devDependencies: undefined,
  optionalDependencies: Object.fromEntries(platforms.map((platform) => [nameOf(platform), version])),
})
packBinary(process.argv[2] ?? hostTarget())

/**
 * Bundles all code into index.cjs, so that each class exists once; the other files re-export parts
 * of it.
 */
async function bundle() {
  // CommonJS has no import.meta. Only wasm.cjs uses it, and its banner defines the replacement.
  const cjs = (name, { define, ...options }) =>
    build({
      absWorkingDir: here, entryPoints: [`typescript/${name}.ts`], outfile: join(out, `${name}.cjs`),
      bundle: true, platform: 'node', target: 'node20', format: 'cjs', logLevel: 'warning',
      define: { 'import.meta.url': 'moduleUrl', ...define }, ...options,
    })
  const fromIndex = (filter) => ({
    name: 'from-index',
    setup: ({ onResolve }) => onResolve({ filter }, () => ({ path: './index.cjs', external: true })),
  })
  await cjs('bundle', {
    outfile: join(out, 'index.cjs'),
    external: ['./wasm.cjs', `${packageName}-*`],
    define: { VERSION: JSON.stringify(version) },
    plugins: [binaries()],
  })
  await cjs('openfeature', { external: ['@openfeature/server-sdk'], plugins: [fromIndex(/^\.\/(index|shared)\.js$/)] })
  await cjs('dezky-types', { banner: { js: '#!/usr/bin/env node' }, plugins: [fromIndex(/^\.\/index\.js$/)] })
  chmodSync(join(out, 'dezky-types.cjs'), 0o755)
  await cjs('wasm', { banner: { js: "const moduleUrl = require('node:url').pathToFileURL(__filename).href" } })
  for (const name of ['flags.wasm', 'world.wasm']) copyFileSync(join(wasmPackage, 'dist/package', name), join(out, name))
  for (const name of ['index', 'openfeature']) {
    const { metafile } = await build({ entryPoints: [join(here, `typescript/${name}.ts`)], format: 'esm', write: false, metafile: true })
    const names = Object.values(metafile.outputs)[0].exports.join(', ')
    // Importing CommonJS directly makes Node scan it for export names, which takes longer than
    // loading the engine.
    const lines = ["import { createRequire } from 'node:module'", `export const { ${names} } = createRequire(import.meta.url)('./${name}.cjs')`]
    writeFileSync(join(out, `${name}.js`), `${lines.join('\n')}\n`)
  }
}

/**
 * Generates the module `dezky:binaries`. Bundlers follow `require` only with a literal name, and
 * treat one inside `try` as optional.
 */
function binaries() {
  const entries = platforms.map((platform) => {
    const load = `() => { try { return require('${nameOf(platform)}') } catch (error) { throw error } }`
    return `{ platform: '${platform.os}-${platform.cpu}', load: ${load} }`
  })
  return {
    name: 'binaries',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^dezky:binaries$/ }, ({ path }) => ({ path, namespace: 'dezky' }))
      onLoad({ filter: /./, namespace: 'dezky' }, () => ({ contents: `export default [${entries.join(',\n')}]` }))
    },
  }
}

/** Emits the declarations as CommonJS, which both `import` and `require` resolve. */
function declareTypes() {
  const options = ['--project', '.', '--noEmit', 'false', '--declaration', '--emitDeclarationOnly', '--stripInternal']
  run(join(here, 'node_modules/.bin/tsc'), [...options, '--rootDir', root, '--outDir', join(out, 'types')])
  writeFileSync(join(out, 'types/package.json'), '{ "type": "commonjs" }\n')
  for (const name of ['index', 'openfeature']) {
    for (const extension of ['d.ts', 'd.cts'])
      writeFileSync(join(out, `${name}.${extension}`), `export * from './types/sdk-node/typescript/${name}.js'\n`)
  }
}

/** Packs the binary as a separate package, which npm installs on matching platforms. */
function packBinary(target) {
  const platform = platforms.find((platform) => platform.target === target)
  if (!platform) throw new Error(`platforms.json does not list ${target}`)
  const args = ['build', '--release', '--locked', '--package', 'dezky-node', '--target', target]
  run('cargo', args, { env: { ...process.env, CARGO_PROFILE_RELEASE_STRIP: 'symbols' } })
  const folder = join(dist, platform.name)
  mkdirSync(folder)
  const library = { linux: 'libdezky_node.so', darwin: 'libdezky_node.dylib', win32: 'dezky_node.dll' }[platform.os]
  copyFileSync(join(process.env.CARGO_TARGET_DIR ?? join(root, 'target'), target, 'release', library), join(folder, 'dezky.node'))
  const { license, author, repository, engines } = manifest
  const { os, cpu, libc } = platform
  writeFileSync(join(folder, 'README.md'), `The native engine of [${packageName}](${manifest.homepage}) for ${target}.\n`)
  pack(folder, {
    name: nameOf(platform), version, description: `The native engine of ${packageName} for ${target}`,
    license, author, repository, engines, os: [os], cpu: [cpu], libc: libc && [libc], main: 'dezky.node', files: ['dezky.node'],
  })
}

function pack(folder, packageJson) {
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(packageJson, null, 2)}\n`)
  copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'))
  if (!existsSync(join(folder, 'README.md'))) copyFileSync(join(here, 'README.md'), join(folder, 'README.md'))
  run('npm', ['pack', '--silent', '--pack-destination', dist], { cwd: folder })
}

function hostTarget() {
  return execFileSync('rustc', ['-vV'], { encoding: 'utf8' }).match(/^host: (.+)$/m)[1]
}

function run(program, args, options) {
  execFileSync(program, args, { cwd: here, stdio: ['ignore', 'inherit', 'inherit'], ...options })
}
