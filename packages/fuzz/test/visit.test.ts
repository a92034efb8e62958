import { readArguments } from '../src/arguments.ts'
import { divide, settingNames } from '../src/settings.ts'
import { show } from '../src/show.ts'
import { makeVisit } from '../src/visit.ts'

const numbers = Array.from({ length: 500 }, (_, index) => index)

describe('a visit', () => {
  test('is the same for the same seed and number, whichever were made before', () => {
    const forwards = numbers.map((index) => makeVisit(7, index))
    const backwards = [...numbers].reverse().map((index) => makeVisit(7, index))
    expect(backwards.reverse()).toEqual(forwards)
  })

  test('differs for another seed', () => {
    const same = numbers.filter((index) => JSON.stringify(makeVisit(7, index)) === JSON.stringify(makeVisit(8, index)))
    expect(same.length).toBeLessThan(20)
  })

  test('contains only bytes', () => {
    for (const index of numbers) {
      const { pieces, frames } = makeVisit(9, index)
      const text = [...pieces, ...frames].join('')
      expect(Buffer.from(text, 'latin1').toString('latin1') === text).toBe(true)
    }
  })
})

test('bytes are shown exactly, with runs shortened', () => {
  expect(show('a\r\nb\0\xff\\')).toBe('a\\r\\n\n    b\\x00\\xff\\\\')
  expect(show(`x${'a'.repeat(8_000)}y`)).toBe('x⟨a*8000⟩y')
})

test('all connections are divided among the settings', () => {
  expect(divide(1_003, settingNames).map(([, share]) => share)).toEqual([503, 100, 100, 100, 100, 100])
  expect(divide(1, settingNames).map(([, share]) => share)).toEqual([1, 0, 0, 0, 0, 0])
  expect(divide(7, ['takes'])).toEqual([['takes', 7]])
})

describe('the arguments', () => {
  const defaults = { count: 9, seed: 3 }

  test('have defaults', () => {
    expect(readArguments([], defaults)).toEqual({
      adapters: ['core', 'express', 'fastify', 'koa'],
      count: 9,
      first: 0,
      parallel: 64,
      seed: 3,
      settings: ['alone', 'no-deadline', 'ignores', 'refuses', 'destroys', 'takes']
    })
  })

  test('say which visits to repeat', () => {
    expect(
      readArguments(['--adapter', 'core', '--seed', '7', '--first', '12', '--count', '1'], defaults)
    ).toMatchObject({
      adapters: ['core'],
      seed: 7,
      first: 12,
      count: 1
    })
  })

  test.each([
    [['--adapter', 'x'], "--adapter expects one of core, express, fastify, koa; got 'x'."],
    [['--setting', 'x'], "--setting expects one of alone, no-deadline, ignores, refuses, destroys, takes; got 'x'."],
    [['--count', '0'], "--count expects a whole number of at least 1; got '0'."],
    [['--seed', 'x'], "--seed expects a whole number of at least 0; got 'x'."],
    [['--sed', '1'], "Unknown option '--sed'"]
  ])('%j are refused', (argv, message) => {
    expect(() => readArguments(argv, defaults)).toThrow(message)
  })
})
