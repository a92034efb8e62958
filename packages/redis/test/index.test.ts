import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as index from '../src/index.ts'

test('exports at run time exactly what the list names', () => {
  expect(Object.keys(index)).toEqual(['redisBackplane'])
})

test('imports no client at run time, and only types from topics', () => {
  const imports = readdirSync(join(__dirname, '../src')).flatMap((file) => {
    const text = readFileSync(join(__dirname, '../src', file), 'utf8')
    return [...text.matchAll(/^import (?!type).* from '(?!\.\/)(.*)'$/gm)].map(([, target]) => target)
  })
  expect(new Set(imports)).toEqual(new Set(['node:async_hooks', 'node:crypto', 'node:timers/promises']))
})
