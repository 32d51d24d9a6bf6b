// The relative imports of the TypeScript sources form no circle; type-only imports count.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { test } from 'node:test'

const repository = join(import.meta.dirname, '../..')

/** The files that a file imports or re-exports by relative path. */
const importsOf = (file) =>
  [...readFileSync(file, 'utf8').matchAll(/(?:from|import) '(\.[^']+)\.js'/g)].map(([, path]) => join(file, '..', `${path}.ts`))

/** Returns the first circle below `file`, as a path that ends where it began. */
function findCircle(file, path, visited) {
  if (path.includes(file)) return [...path.slice(path.indexOf(file)), file]
  if (visited.has(file)) return undefined
  visited.add(file)
  return importsOf(file).map((imported) => findCircle(imported, [...path, file], visited)).find(Boolean)
}

for (const folder of ['sdk-wasm/typescript', 'sdk-node/typescript']) {
  test(`${folder} has no circular import`, () => {
    const files = readdirSync(join(repository, folder), { recursive: true }).filter((name) => name.endsWith('.ts'))
    assert.ok(files.length > 5)
    const visited = new Set()
    for (const name of files) {
      const circle = findCircle(join(repository, folder, name), [], visited)
      assert.equal(circle?.map((file) => relative(repository, file)).join(' -> '), undefined)
    }
  })
}
