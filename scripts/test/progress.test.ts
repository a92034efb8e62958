import { Progress } from '../install/progress.mjs'

/** What a terminal shows after this was written to it. */
function screenOf(written: string): string[] {
  return written.split('\n').map((line) => line.slice(line.lastIndexOf('\u001b[K') + 1).replace('[K', ''))
}

const events = {
  started: { name: 'pnpm:stage', stage: 'importing_started' },
  resolved: { name: 'pnpm:progress', status: 'resolved' },
  fetched: { name: 'pnpm:progress', status: 'fetched' },
  imported: { name: 'pnpm:progress', status: 'imported' }
}

let written: string

const stream = (isTTY: boolean) => ({
  isTTY,
  write(text: string) {
    written += text
  }
})

beforeEach(() => {
  written = ''
  jest.useFakeTimers()
})

afterEach(() => jest.useRealTimers())

const hint =
  'The registry has not answered yet. Behind a proxy, press Ctrl+C and run: npm config set https-proxy http://HOST:PORT'

it('changes one line of a terminal', () => {
  const progress = new Progress('Installing.', stream(true), {})
  jest.advanceTimersByTime(2_000)
  expect(screenOf(written)).toEqual(['Installing.', 'Getting pnpm, which installs the packages … 2 s'])
  progress.notice(undefined)
  progress.notice(events.started)
  expect(screenOf(written)).toEqual(['Installing.', 'Installing the packages … 0 s'])
  for (const event of [events.resolved, events.resolved, events.fetched, events.imported]) progress.notice(event)
  jest.advanceTimersByTime(20_000)
  expect(screenOf(written)).toEqual(['Installing.', `${'█'.repeat(12)}${'░'.repeat(12)} 1 of 2 packages`])
  progress.end(true)
  expect(screenOf(written)).toEqual(['Installing.', 'Installed in 22 s.', ''])
  expect(jest.getTimerCount()).toBe(0)
})

it.each([
  ['a file', false, {}],
  ['a terminal without commands', true, { TERM: 'dumb' }]
])('prints lines in %s', (_what, isTTY, env) => {
  const progress = new Progress('Installing.', stream(isTTY), env)
  for (const event of [events.started, events.resolved, events.imported]) progress.notice(event)
  progress.end(false)
  expect(written).toBe('Installing.\nGetting pnpm, which installs the packages …\nInstalling the packages …\n')
  expect(jest.getTimerCount()).toBe(0)
})

it('prints a hint if npm says nothing for long', () => {
  const progress = new Progress('Installing.', stream(true), {})
  jest.advanceTimersByTime(15_000)
  expect(screenOf(written)).toEqual(['Installing.', hint, 'Getting pnpm, which installs the packages … 15 s'])
  progress.end(false)
})
