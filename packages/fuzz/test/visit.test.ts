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

  test('is another one for another seed', () => {
    const same = numbers.filter((index) => JSON.stringify(makeVisit(7, index)) === JSON.stringify(makeVisit(8, index)))
    expect(same.length).toBeLessThan(20)
  })

  test('holds bytes and nothing else', () => {
    for (const index of numbers) {
      const { pieces, frames } = makeVisit(9, index)
      const text = [...pieces, ...frames].join('')
      expect(Buffer.from(text, 'latin1').toString('latin1') === text).toBe(true)
    }
  })
})

test('shows bytes exactly, and runs in short', () => {
  expect(show('a\r\nb\0\xff\\')).toBe('a\\r\\n\n    b\\x00\\xff\\\\')
  expect(show(`x${'a'.repeat(8_000)}y`)).toBe('x⟨a*8000⟩y')
})

test('connections are divided among the settings, whole', () => {
  expect(divide(1_003, settingNames).map(([, share]) => share)).toEqual([503, 100, 100, 100, 100, 100])
  expect(divide(1, settingNames).map(([, share]) => share)).toEqual([1, 0, 0, 0, 0, 0])
  expect(divide(7, ['takes'])).toEqual([['takes', 7]])
})

describe('the arguments', () => {
  const defaults = { count: 9, seed: 3 }

  test('have defaults', () => {
    expect(readArguments([], defaults)).toEqual({
      adapters: ['core', 'express', 'fastify'],
      count: 9,
      first: 0,
      parallel: 64,
      seed: 3,
      settings: ['alone', 'no-deadline', 'ignores', 'refuses', 'destroys', 'takes']
    })
  })

  test('say what to do again', () => {
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
    [['--adapter', 'koa'], "--adapter takes core, express, fastify; 'koa' came."],
    [['--setting', 'x'], "--setting takes alone, no-deadline, ignores, refuses, destroys, takes; 'x' came."],
    [['--count', '0'], "--count takes a whole number from 1 on; '0' came."],
    [['--seed', 'x'], "--seed takes a whole number from 0 on; 'x' came."],
    [['--sed', '1'], "Unknown option '--sed'"]
  ])('%j are refused', (argv, message) => {
    expect(() => readArguments(argv, defaults)).toThrow(message)
  })
})
