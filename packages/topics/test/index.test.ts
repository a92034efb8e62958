import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as index from '../src/index.ts'

/** The names that a source exports, those of types with `type` in front. Jest maps the package to index.ts. */
function exportsOf(file: string): string[] {
  const text = readFileSync(join(__dirname, '../src', file), 'utf8')
  return [...text.matchAll(/^export\s+(type\s+)?\{([^}]*)\}/gm)]
    .flatMap(([, type = '', list = '']) => list.split(',').map((name) => `${type}${name.trim()}`))
    .sort()
}

test('exports to import what it exports to require', () => {
  expect(exportsOf('index.mts')).toEqual(exportsOf('index.ts'))
})

test('exports at run time what stands in the list', () => {
  expect(Object.keys(index).sort()).toEqual(['MemoryHub', 'TopicsError', 'createTopics', 'memoryBackplane'])
})

test('imports nothing at run time but Node, and of ws only types', () => {
  const sources = readdirSync(join(__dirname, '../src'))
  const imports = sources.flatMap((file) => {
    const text = readFileSync(join(__dirname, '../src', file), 'utf8')
    return [...text.matchAll(/^import (?!type).* from '(?!\.\/)(.*)'$/gm)].map(([, target]) => target)
  })
  expect(imports.sort()).toEqual(['node:async_hooks', 'node:buffer', 'node:crypto', 'node:util/types', 'node:zlib'])
})
