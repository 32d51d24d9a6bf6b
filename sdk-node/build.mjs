// Builds dist/: the package and the binary for this platform (or for the Rust target that is given), and a tarball of each.
import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'

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

/** One file has everything that runs, so that each class is there once; the others show parts of it. */
async function bundle() {
  const cjs = (name, options) =>
    build({
      absWorkingDir: here, entryPoints: [`typescript/${name}.ts`], outfile: join(out, `${name}.cjs`),
      bundle: true, platform: 'node', target: 'node20', format: 'cjs', logLevel: 'warning', ...options,
    })
  const shared = {
    name: 'shared',
    setup({ onResolve }) {
      onResolve({ filter: /^\.\/index\.js$|\/shared\/openfeature\.js$/ }, () => ({ path: './index.cjs', external: true }))
    },
  }
  await cjs('bundle', {
    outfile: join(out, 'index.cjs'),
    external: ['./wasm.cjs', `${packageName}-*`],
    define: { VERSION: JSON.stringify(version) },
    plugins: [binaries()],
  })
  await cjs('openfeature', { external: ['@openfeature/server-sdk'], plugins: [shared] })
  await cjs('dezky-types', { banner: { js: '#!/usr/bin/env node' }, plugins: [shared] })
  chmodSync(join(out, 'dezky-types.cjs'), 0o755)
  await cjs('wasm', {
    banner: { js: "const moduleUrl = require('node:url').pathToFileURL(__filename).href" },
    define: { 'import.meta.url': 'moduleUrl' },
  })
  for (const name of ['flags.wasm', 'world.wasm']) copyFileSync(join(root, 'sdk-wasm/dist/package', name), join(out, name))
  for (const name of ['index', 'openfeature']) {
    const { metafile } = await build({ entryPoints: [join(here, `typescript/${name}.ts`)], format: 'esm', write: false, metafile: true })
    const names = Object.values(metafile.outputs)[0].exports.join(', ')
    // An import of CommonJS would start Node's scanner for its names, which takes longer than loading the engine.
    const lines = ["import { createRequire } from 'node:module'", `export const { ${names} } = createRequire(import.meta.url)('./${name}.cjs')`]
    writeFileSync(join(out, `${name}.js`), `${lines.join('\n')}\n`)
  }
}

/** The module `dezky:binaries`. Bundlers take a `require` by its literal name, and one in a `try` for one that may be missing. */
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

/** The declarations are CommonJS like the bundle, and seen from both sides: `import` can read them as `require` can. */
function declareTypes() {
  const options = ['--project', '.', '--noEmit', 'false', '--declaration', '--emitDeclarationOnly', '--stripInternal']
  run(join(here, 'node_modules/.bin/tsc'), [...options, '--rootDir', root, '--outDir', join(out, 'types')])
  writeFileSync(join(out, 'types/package.json'), '{ "type": "commonjs" }\n')
  for (const name of ['index', 'openfeature']) {
    for (const extension of ['d.ts', 'd.cts'])
      writeFileSync(join(out, `${name}.${extension}`), `export * from './types/sdk-node/typescript/${name}.js'\n`)
  }
}

/** The binary as a package of its own, which npm installs where it fits. */
function packBinary(target) {
  const platform = platforms.find((platform) => platform.target === target)
  if (!platform) throw new Error(`platforms.json has no ${target}`)
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
