import { backoff } from '../src/backoff.ts'
import { type Advice, adviceFor } from '../src/close-code.ts'

afterEach(() => {
  jest.restoreAllMocks()
})

test.each([
  [1, 500],
  [2, 1_000],
  [3, 2_000],
  [7, 30_000],
  [5_000, 30_000]
])('the delay after %i failures is at most %i ms, and random', (failures, expected) => {
  const random = jest.spyOn(Math, 'random')
  expect(
    [0, 0.5, 1].map((value) => {
      random.mockReturnValue(value)
      return backoff(failures, 500, 30_000)
    })
  ).toEqual([0, expected / 2, expected])
})

test.each<[code: number, advice: Advice, earlier?: number | undefined, wasOpen?: boolean]>([
  [1000, 'end'],
  [1001, 'spread'],
  [1005, 'retry'],
  [1006, 'retry'],
  [1008, 'stop'],
  [1011, 'retry'],
  [1012, 'spread'],
  [1013, 'spread'],
  [4000, 'retry'],
  [4401, 'token'],
  [4403, 'stop'],
  [4408, 'retry'],
  [200, 'retry'],
  [401, 'token'],
  [403, 'stop'],
  [404, 'stop'],
  [404, 'retry', undefined, true],
  [426, 'retry'],
  [426, 'retry', 404],
  [426, 'stop', 426],
  [426, 'retry', 426, true],
  [500, 'retry'],
  [503, 'retry']
])('after %i the advice is to %s', (...[code, advice, earlier, wasOpen]) => {
  expect(adviceFor(code, earlier, wasOpen)).toBe(advice)
})
