import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { exportsOf } from '@oneport/test-kit'
import * as index from '../src/index.ts'

const sources = join(__dirname, '../src')

test('exports the same to import as to require', () => {
  expect(exportsOf(join(sources, 'index.mts'))).toEqual(exportsOf(join(sources, 'index.ts')))
})

test('exports at run time exactly what the list names', () => {
  expect(Object.keys(index).sort()).toEqual(['postgresBackplane', 'postgresSchema'])
})

test('imports only pg and Node at run time, and only types from topics', () => {
  const imports = readdirSync(sources).flatMap((file) => {
    const text = readFileSync(join(sources, file), 'utf8')
    return [...text.matchAll(/^import (?!type).* from '(?!\.\/)(.*)'$/gm)].map(([, target]) => target)
  })
  expect(new Set(imports)).toEqual(new Set(['node:async_hooks', 'node:crypto', 'node:timers/promises', 'pg']))
})
