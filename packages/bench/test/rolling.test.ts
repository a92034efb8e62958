import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeWith, haproxyProgram, redisProgram } from '@oneport/test-kit'
// The built file, because it starts others. `npm test` builds before it tests.
import { roll } from '../dist/rolling/run.js'
import { renderPage } from '../src/report.ts'
import { type Deploy, keepRolling, type Recording, readRolling } from '../src/rolling/recording.ts'
import { drawRolling, rollingSection, rollingSummary } from '../src/rolling/section.ts'

// Starting processes takes long on a busy machine.
jest.setTimeout(60_000)

const deploy: Deploy = {
  closeMs: 10_000,
  returnMs: 3_000,
  seconds: 68.4,
  losses: 1_260,
  awayMs: { median: 1_700.2, worst: 3_600 },
  handshakes: 90,
  cpu: { most: 0.14, before: 0.05 },
  delayMs: { worst: 31, before: 4 },
  crowd: { cpu: 0.11, delayMs: 25 },
  messages: { delivered: 150_000, missing: 1, doubled: 2, gaps: 3, unpublished: 4 },
  timeline: { away: [0, 40, 10], handshakes: [0, 30, 41] }
}
const recording: Recording = { nodes: 4, clients: 1_000, perSecond: 50, restMs: 5_000, deploys: [deploy] }

describe('a recording of rolling deploys', () => {
  const origin = { measuredAt: '2025-01-31', command: 'npm run bench -- --suite rolling', conditions: {} }

  test('is read as it was kept', () => {
    const folder = mkdtempSync(join(tmpdir(), 'bench-'))
    expect(readRolling(folder)).toBeUndefined()
    keepRolling({ recording, ...origin }, folder)
    expect(readRolling(folder)).toEqual({ recording, ...origin })
    rmSync(folder, { recursive: true })
  })

  test('has a section on the page, with a table and a chart', () => {
    const page = renderPage([], undefined, { recording, ...origin })
    expect(page).toContain(rollingSection({ recording, ...origin }, {}))
    for (const text of [
      'npm run bench -- --suite rolling\n',
      '(images/bench-rolling.svg)',
      '|  | Closed over 10 s, back over 3 s |',
      '| Without a connection, median | 1,700 ms |',
      '| CPU of a node in a second, most | 14 % |',
      '| Missing | 1 |',
      '| Twice | 2 |'
    ]) {
      expect(page).toContain(text)
    }
  })

  test('is summed up in the terminal', () => {
    expect(rollingSummary(deploy)).toMatch(
      /Closed over 10 s, back over 3 s\n.*\nWithout a connection, median +1,700 ms\n/
    )
  })

  test('is drawn', () => {
    expect(drawRolling(recording)).toContain('>over 10 s</text>')
  })
})

describeWith(redisProgram, 'a deploy', () => {
  describeWith(haproxyProgram, 'behind HAProxy', () => {
    test('restarts each node, and no client loses a message', async () => {
      const seen: Deploy[] = []
      const fleet = { nodes: 2, clients: 20, perSecond: 50, restMs: 2_000 }
      const { deploys } = await roll(fleet, [{ closeMs: 500, returnMs: 100 }], (each) => seen.push(each))
      expect(deploys).toEqual(seen)
      const [{ awayMs, cpu, delayMs, handshakes, losses, messages, timeline }] = deploys as [Deploy]
      expect(losses).toBeGreaterThanOrEqual(20)
      expect(handshakes).toBeGreaterThan(0)
      expect(timeline.handshakes.reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(handshakes)
      for (const value of [awayMs.median, cpu.most, cpu.before, delayMs.worst]) expect(value).toBeGreaterThan(0)
      expect(awayMs.worst).toBeGreaterThanOrEqual(awayMs.median)
      expect(messages.delivered).toBeGreaterThan(0)
      expect(messages).toMatchObject({ missing: 0, doubled: 0, gaps: 0, unpublished: 0 })
    })
  })
})
