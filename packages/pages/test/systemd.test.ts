import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from '../src/markdown.ts'
import { lookFor } from './proxies/installed.ts'
import { swap } from './proxies/kinds.ts'

// The first call reads all units of the machine.
jest.setTimeout(60_000)

const { hint, isInstalled } = lookFor('systemd-analyze', 'systemd')
const run = isInstalled ? test : test.skip

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'oneport-unit-'))
})

afterEach(() => rmSync(folder, { recursive: true }))

/** The problems that systemd finds in a unit and in those it needs. */
function verify(unit: string): string[] {
  const file = join(folder, 'app.service')
  writeFileSync(file, swap(unit, '/usr/bin/node', process.execPath))
  const { stderr, stdout } = spawnSync('systemd-analyze', ['verify', '--man=no', file], { encoding: 'utf8' })
  return `${stdout}${stderr}`.split('\n').filter((line) => line.includes('app.service'))
}

describe('systemd', () => {
  const unit = readFileSync(join(root, 'docs/deploy/app.service'), 'utf8')

  run(`finds nothing wrong with the unit of the page${hint}`, () => {
    expect(verify(unit)).toEqual([])
  })

  run(`reports a broken unit${hint}`, () => {
    expect(verify(swap(unit, 'TimeoutStopSec', 'TimeoutStop'))).toEqual([expect.stringContaining('TimeoutStop')])
  })
})
