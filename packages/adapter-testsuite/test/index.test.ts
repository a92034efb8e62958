import { join } from 'node:path'
import { exportsOf } from '@oneport/test-kit'
import * as index from '../src/index.ts'
import * as parts from '../src/parts.ts'

const sourceOf = (name: string): string => join(__dirname, '../src', name)

test.each(['index', 'parts'])('%s exports the same to import as to require', (name) => {
  expect(exportsOf(sourceOf(`${name}.mts`))).toEqual(exportsOf(sourceOf(`${name}.ts`)))
})

test('exports at run time exactly what the lists name', () => {
  expect(Object.keys(index)).toEqual(['cases'])
  const values = exportsOf(sourceOf('parts.ts')).filter((name) => !name.startsWith('type '))
  expect(Object.keys(parts).sort()).toEqual(values)
})
