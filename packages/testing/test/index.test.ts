import { readFileSync } from 'node:fs'
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
  expect(Object.keys(index).sort()).toEqual(['RefusedError', 'connect', 'expectRefused'])
})
