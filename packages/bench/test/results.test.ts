import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SuiteResult } from '../src/lab.ts'
import { keepResult, readResults } from '../src/results.ts'
import { suites } from '../src/suites/index.ts'
import type { Suite } from '../src/suites/suite.ts'

const origin = { measuredAt: '2025-01-31T12:00:00.000Z', command: 'npm run bench', conditions: { rounds: '9 rounds' } }

/** Results with a value for all figures of all entries. */
function resultOf(name: string, value: number): SuiteResult {
  const suite = suites.find((known) => known.name === name) as Suite
  const sample = Object.fromEntries(suite.figures.map(({ key }) => [key, value]))
  return { suite, measured: suite.entries.map((entry) => ({ entry, samples: [sample, sample] })) }
}

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bench-'))
})

afterEach(() => rmSync(folder, { recursive: true }))

describe('results', () => {
  test('are read as they were kept, in the order of the page', () => {
    const [memory, refusal] = [resultOf('memory', 2.5), resultOf('refusal', 70)]
    keepResult(memory, origin, folder)
    keepResult(refusal, origin, folder)
    expect(readResults(folder)).toEqual([
      { ...refusal, ...origin },
      { ...memory, ...origin }
    ])
  })

  test('of a suite replace its earlier ones, and no others', () => {
    keepResult(resultOf('memory', 2.5), origin, folder)
    keepResult(resultOf('refusal', 70), origin, folder)
    keepResult(resultOf('refusal', 60), { ...origin, command: 'npm run bench -- --suite refusal' }, folder)
    expect(readResults(folder).map(({ command, measured }) => [command, measured[0]?.samples[0]?.cpu])).toEqual([
      ['npm run bench -- --suite refusal', 60],
      ['npm run bench', undefined]
    ])
  })

  test('are empty where nothing was kept', () => {
    expect(readResults(join(folder, 'missing'))).toEqual([])
  })

  test('leave out entries and figures that the suite no longer has, and entries that lack a figure', () => {
    const { suite, measured } = resultOf('memory', 2.5)
    const [first, second, ...others] = measured
    if (first === undefined || second === undefined) throw new Error('The suite has too few entries.')
    const retired = { ...first, entry: { ...first.entry, name: 'retired' } }
    keepResult({ suite, measured: [retired, { ...second, samples: [{ heap: 1 }] }, ...others] }, origin, folder)
    expect(readResults(folder)[0]?.measured).toEqual(others)
    keepResult({ suite, measured: [retired] }, origin, folder)
    expect(readResults(folder)).toEqual([])
  })

  test('are kept with a line for each entry, and no more digits than they are worth', () => {
    keepResult(resultOf('memory', 1 / 3), origin, folder)
    const lines = readFileSync(join(folder, 'memory.json'), 'utf8').split('\n')
    expect(lines).toContain('    "ws": [{"heap":0.333333,"rss":0.333333},{"heap":0.333333,"rss":0.333333}],')
  })
})
