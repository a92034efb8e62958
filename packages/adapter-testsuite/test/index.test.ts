import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as index from '../src/index.ts'
import * as parts from '../src/parts.ts'

/** The names that a source exports, those of types with `type` in front. Jest maps the package to its .ts files. */
function exportsOf(file: string): string[] {
  const text = readFileSync(join(__dirname, '../src', file), 'utf8')
  return [...text.matchAll(/^export\s+(type\s+)?\{([^}]*)\}/gm)]
    .flatMap(([, type = '', list = '']) =>
      list
        .split(',')
        .filter((name) => name.trim() !== '')
        .map((name) => `${type}${name.trim()}`)
    )
    .sort()
}

test.each(['index', 'parts'])('%s exports to import what it exports to require', (name) => {
  expect(exportsOf(`${name}.mts`)).toEqual(exportsOf(`${name}.ts`))
})

test('exports at run time what stands in the lists', () => {
  expect(Object.keys(index)).toEqual(['cases'])
  const values = exportsOf('parts.ts').filter((name) => !name.startsWith('type '))
  expect(Object.keys(parts).sort()).toEqual(values)
})
