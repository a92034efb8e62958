import { selectEntries } from '../src/selection.ts'
import { suites } from '../src/suites/index.ts'
import type { Suite } from '../src/suites/suite.ts'

const named = (wanted: string): Suite => suites.find(({ name }) => name === wanted) as Suite
const select = (suite: string, ...names: string[]): string[] =>
  selectEntries(named(suite), new Set(names)).map(({ name }) => name)

describe('a selection of contenders', () => {
  test('includes what they are compared with', () => {
    expect(select('echo-64', 'core')).toEqual(['ws', 'core'])
    expect(select('http-tax', 'express', 'core')).toEqual(['plain-http', 'core', 'plain-express', 'express'])
    expect(select('heartbeat', 'core')).toEqual(['core', 'core-off'])
    expect(select('bufferutil-65536', 'core')).toEqual(['ws', 'core+bufferutil'])
  })

  test('is empty if a suite has none of them', () => {
    expect(select('heartbeat', 'net')).toEqual([])
  })

  test('includes everything if none are named', () => {
    expect(selectEntries(named('echo-64'), undefined)).toBe(named('echo-64').entries)
  })
})

describe('every entry of every suite', () => {
  test('is compared with an entry of the same suite', () => {
    const lost = suites.flatMap(({ name, entries }) =>
      entries
        .filter(({ base }) => !entries.some((entry) => entry.name === base))
        .map((entry) => `${name}: ${entry.name}`)
    )
    expect(lost).toEqual([])
  })

  test('has a name that is unique in its suite', () => {
    for (const { entries } of suites) expect(new Set(entries.map(({ name }) => name)).size).toBe(entries.length)
  })
})
