import { unusual, usualOf } from '../src/conditions.ts'

const nine = { rounds: '9 rounds', ws: 'ws 8.23.0' }
const three = { rounds: '3 rounds', ws: 'ws 8.23.0', express: 'express 5.3.0' }

describe('the usual conditions', () => {
  test('are the most frequent ones', () => {
    expect(usualOf([three, nine, nine])).toEqual({ ...nine, express: 'express 5.3.0' })
  })

  test('are the first ones if none is more frequent', () => {
    expect(usualOf([nine, three]).rounds).toBe('9 rounds')
  })
})

describe('the unusual conditions of a suite', () => {
  test('are those with another value', () => {
    expect(unusual(three, usualOf([nine, nine, three]))).toEqual(['3 rounds'])
  })

  test('do not include packages that the suite does not use', () => {
    expect(unusual(nine, usualOf([nine, nine, three]))).toEqual([])
  })
})
