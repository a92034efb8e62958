import { join } from 'node:path'
import { exportsOf } from '@oneport/test-kit'
import * as index from '../src/index.ts'

const sourceOf = (name: string): string => join(__dirname, '../src', name)

test('exports the same to import as to require', () => {
  expect(exportsOf(sourceOf('index.mts'))).toEqual(exportsOf(sourceOf('index.ts')))
})

test('exports at run time exactly what the list names', () => {
  expect(Object.keys(index).sort()).toEqual(['RefusedError', 'connect', 'createNetwork', 'expectRefused'])
})
