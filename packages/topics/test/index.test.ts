import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { exportsOf } from '@oneport/test-kit'
import * as index from '../src/index.ts'

const sourceOf = (name: string): string => join(__dirname, '../src', name)

test('exports the same to import as to require', () => {
  expect(exportsOf(sourceOf('index.mts'))).toEqual(exportsOf(sourceOf('index.ts')))
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
    'node:async_hooks',
    'node:buffer',
    'node:crypto',
    'node:events',
    'node:stream',
    'node:util/types',
    'node:zlib'
  ])
})
