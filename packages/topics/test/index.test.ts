import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { exportsOf } from '@oneport/test-kit'
import * as contract from '../src/contract.ts'
import * as index from '../src/index.ts'

const sourceOf = (name: string): string => join(__dirname, '../src', name)

test('exports the same to import as to require', () => {
  expect(exportsOf(sourceOf('index.mts'))).toEqual(exportsOf(sourceOf('index.ts')))
})

test('the contract exports the same to import as to require', () => {
  expect(exportsOf(sourceOf('contract.mts'))).toEqual(exportsOf(sourceOf('contract.ts')))
  expect(Object.keys(contract)).toEqual(['backplaneContract'])
})

test('exports at run time exactly what the list names', () => {
  expect(Object.keys(index).sort()).toEqual(['MemoryHub', 'TopicsError', 'createTopics', 'memoryBackplane'])
})

test('imports only Node at run time, and only types from ws', () => {
  const sources = readdirSync(join(__dirname, '../src'), { recursive: true, encoding: 'utf8' }).filter((file) =>
    /\.m?ts$/.test(file)
  )
  const imports = sources.flatMap((file) => {
    const text = readFileSync(join(__dirname, '../src', file), 'utf8')
    return [...text.matchAll(/^import (?!type).* from '(?!\.\.?\/)(.*)'$/gm)].map(([, target]) => target)
  })
  expect([...new Set(imports)].sort()).toEqual([
    'node:assert/strict',
    'node:async_hooks',
    'node:buffer',
    'node:cluster',
    'node:crypto',
    'node:diagnostics_channel',
    'node:events',
    'node:stream',
    'node:timers/promises',
    'node:util/types',
    'node:zlib'
  ])
})
