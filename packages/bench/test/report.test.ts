import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Conditions } from '../src/conditions.ts'
import { readRecording } from '../src/endurance/recording.ts'
import type { Measured, SuiteResult } from '../src/lab.ts'
import { renderPage } from '../src/report.ts'
import { type Kept, readResults } from '../src/results.ts'
import { readRolling } from '../src/rolling/recording.ts'
import { chartOf, markdownTable } from '../src/section.ts'
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

const kept = (result: SuiteResult, command: string, conditions: Conditions = {}): Kept => ({
  ...result,
  measuredAt: command,
  command,
  conditions: { rounds: '9 rounds', machine: '2 cores of a CPU', ws: 'ws 8.23.0', ...conditions }
})

const resumed = resultOf('resume-256', { 'resume-topics': [{ cpu: 9, rss: 20, generatorCpu: 5 }] })

describe('the page', () => {
  const page = renderPage([
    kept(echo, 'npm run bench 2', { rounds: '21 rounds', express: 'express 5.3.0', 'express-ws': 'express-ws 5.0.2' }),
    kept(heartbeat, 'npm run bench 1'),
    kept(heartbeat, 'npm run bench 1'),
    {
      ...kept(resumed, 'npm run bench 1', { '@oneport/topics': '@oneport/topics 1.2.3' }),
      measuredAt: '2025-01-31T12:00'
    }
  ])

  test('says how it was made, on which machine, with which versions', () => {
    for (const text of [
      'the median of 9 rounds (',
      '```sh\nnpm run bench 1\nnpm run bench 2\n```',
      '- 2 cores of a CPU\n',
      '| express-ws 5.0.2, express 5.3.0 |'
    ]) {
      expect(page).toContain(text)
    }
  })

  test('says in a section what it was measured with, if that is not usual', () => {
    expect(page).toContain('Unlike most of this page, this was measured with: 21 rounds.\n\n![Server CPU per message')
    expect(page.match(/Unlike most/g)).toHaveLength(1)
  })

  test('says when and with what a section was measured whose packages are not in the table', () => {
    const note = 'Measured on 2025-01-31 with @oneport/core, @oneport/topics 1.2.3, @oneport/redis.'
    expect(page.match(/Measured on .*/g)).toEqual([note])
  })

  test('describes what was measured, and nothing else', () => {
    expect(page).toContain('| express-ws |')
    expect(page).not.toContain('| crossws |')
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
  test('is made from the results that are kept; "npm run bench -- --render" writes it again', () => {
    const committed = readFileSync(join(__dirname, '../../../docs/benchmarks.md'), 'utf8')
    expect(committed).toBe(renderPage(readResults(), readRecording(), readRolling()))
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
