import { readArguments, usage } from '../src/arguments.ts'
import { contenders } from '../src/contenders/index.ts'
import { suites } from '../src/suites/index.ts'

const suiteNames = (argv: string[]): string[] => readArguments(argv).suites.map(({ name }) => name)

describe('the arguments', () => {
  test('stand for a whole run by default, which writes the page', () => {
    expect(readArguments([])).toMatchObject({
      quick: false,
      suites,
      contenders: undefined,
      rounds: 9,
      freshRounds: 3,
      connections: 10_000,
      write: true
    })
  })

  test('with --quick stand for a small run, which writes nothing', () => {
    expect(readArguments(['--quick'])).toMatchObject({
      suites,
      rounds: 3,
      freshRounds: 1,
      connections: 2_000,
      write: false
    })
  })

  test.each([[['--suite', 'echo']], [['--contender', 'ws,core']], [['--profile', 'profiles']]])(
    '%j write nothing by default',
    (argv) => {
      expect(readArguments(argv).write).toBe(false)
      expect(readArguments([...argv, '--write']).write).toBe(true)
    }
  )

  test('select suites by name, or by the start of their names', () => {
    expect(suiteNames(['--suite', 'echo-64-one,memory'])).toEqual(['echo-64-one', 'memory'])
    expect(suiteNames(['--suite', 'handshake'])).toEqual(['handshake-close', 'handshake-only'])
    expect(suiteNames(['--suite', 'memory', '--suite', 'refusal'])).toEqual(['refusal', 'memory'])
  })

  test('include the suite endurance only if it is named', () => {
    expect(readArguments([]).endurance).toBeUndefined()
    expect(readArguments(['--suite', 'endurance'])).toMatchObject({
      suites: [],
      endurance: { seconds: 600, connections: undefined },
      write: false
    })
    expect(readArguments(['--suite', 'endurance,memory', '--seconds', '30', '--connections', '1000'])).toMatchObject({
      suites: [{ name: 'memory' }],
      endurance: { seconds: 30, connections: 1_000 }
    })
  })

  test('include the suite rolling only if it is named', () => {
    expect(readArguments([]).rolling).toBeUndefined()
    expect(readArguments(['--suite', 'rolling'])).toMatchObject({
      suites: [],
      rolling: { clients: 1_000 },
      write: false
    })
    expect(readArguments(['--suite', 'rolling', '--connections', '200', '--write'])).toMatchObject({
      rolling: { clients: 200 },
      write: true
    })
  })

  test('with --render measure nothing, and write the page', () => {
    expect(readArguments(['--render'])).toMatchObject({ suites: [], write: true })
  })

  test('select contenders', () => {
    expect(readArguments(['--contender', 'ws,core']).contenders).toEqual(new Set(['ws', 'core']))
  })

  test.each([
    [['--suite', 'ech'], "There is no suite 'ech'; 'npm run bench -- --help' lists them."],
    [['--contender', 'uws'], "There is no contender 'uws'; 'npm run bench -- --help' lists them."],
    [['--suite', ','], '--suite expects one or more names.'],
    [['--rounds', '0'], "--rounds expects a number from 1 to 999999; got '0'."],
    [['--connections', 'many'], "--connections expects a number from 1 to 999999; got 'many'."],
    [['--fast'], "Unknown option '--fast'"]
  ])('%j are answered with an error message', (argv, message) => {
    expect(() => readArguments(argv)).toThrow(message)
  })

  test('are explained, with all suites and contenders', () => {
    for (const { name } of [...suites, ...contenders]) expect(usage).toContain(name)
    expect(usage).toContain('endurance')
    expect(usage).toContain('rolling')
  })
})
