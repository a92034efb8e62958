import { unusualNote, usualOf } from '../src/conditions.ts'

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

describe('the note about unusual conditions', () => {
  test('names those with another value', () => {
    const note = 'Unlike most of this page, this was measured with: 3 rounds.'
    expect(unusualNote(three, usualOf([nine, nine, three]))).toEqual([note])
  })

  test('does not name packages that the suite does not use', () => {
    expect(unusualNote(nine, usualOf([nine, nine, three]))).toEqual([])
  })
})
