import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { contenders } from '../src/contenders/index.ts'
import type { Measured, SuiteResult } from '../src/lab.ts'
import { chartOf, markdownTable, renderPage } from '../src/report.ts'
import { suites } from '../src/suites/index.ts'
import type { Sample, Suite } from '../src/suites/suite.ts'
import { ratioTo, tableOf } from '../src/table.ts'

/** A suite with two rounds for some of its entries. */
function resultOf(name: string, samples: Record<string, Sample[]>): SuiteResult {
  const suite = suites.find((known) => known.name === name) as Suite
  const measured = suite.entries.flatMap((entry): Measured[] => {
    const own = samples[entry.name]
    return own === undefined ? [] : [{ entry, samples: own }]
  })
  return { suite, measured }
}

const effort = (cpu: number): Sample => ({ cpu, rate: 1_000_000 / cpu, generatorCpu: 5 })
const echo = resultOf('echo-64', {
  ws: [effort(10), effort(20)],
  core: [effort(5), effort(5)],
  express: [effort(10), effort(20)],
  'express-ws': [effort(20), effort(40)]
})
const heartbeat = resultOf('heartbeat', {
  core: [{ delay: 12.34, cpu: 40 }],
  'core-off': [{ delay: 10, cpu: 10 }]
})

describe('a table', () => {
  test('has medians, the spread of the main figure, and the median of the ratios of the rounds', () => {
    const [header, ws, core] = tableOf(echo)
    expect(header).toEqual([
      '',
      'Server CPU per message',
      'Spread',
      'vs. bare ws',
      'Messages per second',
      'vs. bare ws',
      'Generator CPU'
    ])
    expect(ws).toEqual(['bare ws', '15.0 µs', '33 %', '1.00 / 1.00', '75,000', '1.00', '5.0 µs'])
    // 5/10 and 5/20, not 5/15. The lower quartile of 10 and 20 is 12.5.
    expect(core?.[3]).toBe('0.38 / 0.40')
  })

  test('compares the lower quartiles of the main figure alone', () => {
    expect(tableOf(echo)[2]?.[5]).toBe('3.00')
  })

  test('has no ratio where it makes no sense', () => {
    expect(tableOf(heartbeat)[1]).toEqual(['Oneport core', '12.3 ms', '0 %', '40.0 µs'])
  })

  test('in Markdown aligns numbers right, and escapes cells', () => {
    expect(
      markdownTable([
        ['', 'CPU'],
        ['a|b', '1 µs']
      ])
    ).toBe('|  | CPU |\n| --- | ---: |\n| a\\|b | 1 µs |')
  })
})

describe('a ratio', () => {
  test('is missing if one of the two was not measured', () => {
    expect(ratioTo(echo, 'fastify', 'ws', echo.suite.figures[0])).toBeUndefined()
  })
})

describe('the page', () => {
  const page = renderPage([echo, heartbeat], {
    command: 'npm run bench -- --rounds 2',
    rounds: 2,
    connections: 10_000,
    machine: ['2 cores of a CPU'],
    describePackage: (name) => `${name} 1.2.3`
  })

  test('says how it was made, on which machine, with which versions', () => {
    for (const text of [
      '```sh\nnpm run bench -- --rounds 2\n```',
      '- 2 cores of a CPU',
      '| express-ws 1.2.3, express 1.2.3 |'
    ]) {
      expect(page).toContain(text)
    }
  })

  test('says what is noise', () => {
    expect(page).toContain('Differences below 5 % are noise')
    expect(page).toContain('Ignore absolute figures.')
  })

  test('has a row of its short table for each comparison, with the peer of the same framework', () => {
    expect(page).toContain('| Echo of 64 B, 8 in flight | 0.38 / 0.40 | 1.00 / 1.00 |  | 0.50 / 0.50 |  |')
    expect(page).not.toContain('| Heartbeat |')
  })

  test('has a section with a chart for each suite', () => {
    expect(page).toContain('## Heartbeat\n')
    expect(page).toContain('(images/bench-heartbeat.svg)')
  })
})

describe('the page in docs', () => {
  test('has the texts of the bench', () => {
    const committed = readFileSync(join(__dirname, '../../../docs/benchmarks.md'), 'utf8')
    const results = suites.map(({ name, entries, figures }) => {
      const sample = Object.fromEntries(figures.map(({ key }) => [key, 1]))
      return resultOf(name, Object.fromEntries(entries.map((entry) => [entry.name, [sample]])))
    })
    const circumstances = { command: '', rounds: 9, connections: 10_000, machine: [], describePackage: () => '' }
    const notes = contenders.map(({ note }) => `| ${note} |`)
    const texts = renderPage(results, circumstances)
      .split('\n')
      .filter((line) => !/^(?:\||This page was written)/.test(line))
    expect([...texts, ...notes].filter((text) => !committed.includes(text))).toEqual([])
  })
})

describe('the chart of a suite', () => {
  test('shows ratios with a line at 1 if they make sense', () => {
    expect(chartOf(echo)).toContain('>0.38</text>')
    expect(chartOf(echo)).toContain('<line class="line"')
  })

  test('shows absolute values otherwise', () => {
    expect(chartOf(heartbeat)).toContain('>12.3</text>')
    expect(chartOf(heartbeat)).not.toContain('<line class="line"')
  })
})
