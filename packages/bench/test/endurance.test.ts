import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
// The built file, because it starts others. `npm test` builds before it tests.
import { endure } from '../dist/endurance/run.js'
import { keepRecording, type Recording, readRecording } from '../src/endurance/recording.ts'
import { drawEndurance, enduranceSection, enduranceSummary } from '../src/endurance/section.ts'
import { judge } from '../src/endurance/verdict.ts'
import { inSlices } from '../src/generator/held.ts'
import { renderPage } from '../src/report.ts'

// Starting processes takes long on a busy machine.
jest.setTimeout(60_000)

const seconds = 8
const always = (value: number): number[] => Array.from({ length: seconds }, () => value)

/** A recording without faults: windows of 2 s, and 10 of 1,000 connections end in each slice of the drain. */
const steady: Recording = {
  connections: 1_000,
  seconds,
  spreadMs: 10_000,
  open: always(1_000),
  rssBytes: always(100_000_000),
  heapBytes: always(20_000_000),
  cpuMs: always(250),
  worstDelayMs: always(12),
  broadcastMs: always(30),
  ends: Array.from({ length: 100 }, () => 10),
  terminated: 0,
  drainDelayMs: 8,
  generatorLoad: 0.1
}

const missed = (changes: Partial<Recording>): string[] =>
  judge({ ...steady, ...changes }).flatMap(({ what, isMet }) => (isMet === false ? [what] : []))

const withLast = (values: readonly number[], last: number): number[] => [...values.slice(0, -2), last, last]

describe('the verdict', () => {
  test('is that a steady run meets all targets', () => {
    expect(missed({})).toEqual([])
    expect(judge(steady).filter(({ isMet }) => isMet)).toHaveLength(5)
  })

  test('is that memory grows if it is larger in the end than after the warm-up', () => {
    expect(missed({ rssBytes: withLast(steady.rssBytes, 106_000_000) })).toEqual(['RSS, median'])
    expect(missed({ heapBytes: withLast(steady.heapBytes, 22_000_000) })).toEqual(['Heap, least'])
  })

  test('forgives a growth during the warm-up, and garbage', () => {
    expect(missed({ rssBytes: [50_000_000, ...steady.rssBytes.slice(1)] })).toEqual([])
    expect(missed({ heapBytes: [...steady.heapBytes.slice(0, -1), 90_000_000] })).toEqual([])
  })

  test.each([{ worstDelayMs: withLast(steady.worstDelayMs, 50) }, { drainDelayMs: 50 }])(
    'is that the event loop was blocked: %j',
    (changes) => {
      expect(missed(changes)).toEqual(['Worst event-loop delay outside of the broadcasts'])
    }
  )

  test('is that a drain is uneven if more than twice the average ends in a slice', () => {
    expect(missed({ ends: [20, ...steady.ends] })).toEqual([])
    expect(missed({ ends: [21, ...steady.ends] })).toEqual(['Connections that ended in 100 ms of the drain'])
    expect(missed({ terminated: 1 })).toEqual(['Connections that the drain had to terminate'])
  })
})

describe('a recording', () => {
  const origin = { measuredAt: '2025-01-31', command: 'npm run bench -- --suite endurance', conditions: {} }

  test('is read as it was kept', () => {
    const folder = mkdtempSync(join(tmpdir(), 'bench-'))
    expect(readRecording(folder)).toBeUndefined()
    keepRecording({ recording: steady, ...origin }, folder)
    expect(readRecording(folder)).toEqual({ recording: steady, ...origin })
    rmSync(folder, { recursive: true })
  })

  test('has a section on the page, with a table and a chart', () => {
    const page = renderPage([], { recording: steady, ...origin })
    expect(page).toContain(enduranceSection({ recording: steady, ...origin }, {}))
    for (const text of [
      'npm run bench -- --suite endurance\n',
      '`drain({ spreadMs: 10_000 })`',
      '(images/bench-endurance.svg)',
      '| RSS, median | 100 MB, then 100 MB | grows by at most 5 % | met |',
      '| CPU of the server, of one core | 25 % |  |  |'
    ]) {
      expect(page).toContain(text)
    }
  })

  test('is summed up in the terminal', () => {
    expect(enduranceSummary({ ...steady, terminated: 3 })).toContain(
      'not met Connections that the drain had to terminate: 3 (0)'
    )
  })

  test('is drawn', () => {
    for (const label of ['RSS', 'Heap', 'Delay']) expect(drawEndurance(steady)).toContain(`>${label}</text>`)
  })
})

describe('the ends of connections', () => {
  test('are counted in slices, the first of which starts with the first end', () => {
    expect(inSlices([1_000, 1_050, 1_100, 1_349], 100)).toEqual([2, 1, 0, 1])
    expect(inSlices([], 100)).toEqual([])
  })
})

test('a run keeps its clients coming and going, and drains them all', async () => {
  const noted: number[] = []
  const recording = await endure({ connections: 100, seconds: 2, spreadMs: 500 }, (_beat, second) => noted.push(second))
  expect(noted).toEqual([1, 2])
  expect(recording.open).toHaveLength(2)
  expect(Math.min(...recording.rssBytes, ...recording.heapBytes, ...recording.cpuMs)).toBeGreaterThan(0)
  expect(Math.min(...recording.broadcastMs)).toBeGreaterThan(0)
  expect(recording.ends.reduce((sum, ended) => sum + ended, 0)).toBe(100)
  expect(recording.terminated).toBe(0)
})
