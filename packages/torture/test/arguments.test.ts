import { readArguments } from '../src/arguments.ts'
import { failureOf } from '../src/report.ts'

const read = (line: string): ReturnType<typeof readArguments> => readArguments(line === '' ? [] : line.split(' '), 7)

test.each([
  ['', 0],
  ['--client library', 20],
  ['--client library --clients 199', 0],
  ['--client library --clients 30 --pages 6', 6],
  ['--client library --pages 0', 0]
])('%j puts pages among the clients: %j', (line, pages) => {
  expect(read(line).pages).toBe(pages)
})

test.each([
  ['--pages 2', '--pages expects --client library.'],
  ['--client library --clients 2 --pages 3', '--pages expects at most the number of clients, 2; got 3.'],
  ['--client library --pages x', "--pages expects a whole number of at least 0; got 'x'."]
])('refuses %j', (line, message) => {
  expect(() => read(line)).toThrow(message)
})

test('what has failed says how to repeat it', () => {
  const given = { ...read('--client library --store redis --clients 30 --pages 6 --runs 9'), nodes: 4 }
  const totals = { published: 0, abandoned: 0, deliveries: 0, reconnects: 0, gaps: 0, seconds: 0 }
  const text = failureOf({ ...totals, contradictions: [{ what: 'Something is wrong.', lines: [] }] }, given)
  const [, line = ''] = text.split('npm run torture -- ')
  expect(read(line)).toEqual({ ...given, runs: 1 })
})
