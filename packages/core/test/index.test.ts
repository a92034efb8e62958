import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as adapter from '../src/adapter.ts'
import * as index from '../src/index.ts'
import * as wsCompatibility from '../src/ws-compatibility.ts'

interface Names {
  readonly values: string[]
  readonly types: string[]
}

/**
 * The names in the export statements of a source file. Jest maps the package to index.ts, so index.mts is read as text.
 */
function exportsOf(file: string): Names {
  const text = readFileSync(join(__dirname, '../src', file), 'utf8')
  const names: Names = { values: [], types: [] }
  for (const [, type, list] of text.matchAll(/^export\s+(type\s+)?\{([^}]*)\}/gm)) {
    for (const entry of (list as string).split(',').map((part) => part.trim())) {
      if (entry === '') continue
      const isType = type !== undefined || entry.startsWith('type ')
      const name = entry.replace(/^type\s+/, '').replace(/^.*\sas\s+/, '')
      ;(isType ? names.types : names.values).push(name)
    }
  }
  names.values.sort()
  names.types.sort()
  return names
}

describe.each([
  ['index', index],
  ['adapter', adapter],
  ['ws-compatibility', wsCompatibility]
])('%s', (file, module) => {
  const required = exportsOf(`${file}.ts`)

  test('exports the same to import as to require, types included', () => {
    expect(exportsOf(`${file}.mts`)).toEqual(required)
  })

  test('exports at run time exactly what its lists name', () => {
    expect(Object.keys(module).sort()).toEqual(required.values)
    for (const name of required.values) expect(module).toHaveProperty(name, expect.anything())
  })
})

test('exports what README and docs name', () => {
  expect(Object.keys(index)).toEqual(
    expect.arrayContaining(['acceptWebSocket', 'attach', 'checkHandshake', 'CloseCode', 'HandshakeError'])
  )
})

test('exports only by name, so that the lists are complete', () => {
  for (const file of ['index.ts', 'index.mts']) {
    const text = readFileSync(join(__dirname, '../src', file), 'utf8')
    expect(text).not.toMatch(/^export\s+(?:type\s+)?\*/m)
    expect(text).not.toMatch(/^export\s+(?:default|const|let|var|function|class|async)\b/m)
  }
})
