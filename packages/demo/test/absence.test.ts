import { Absence } from '../public/absence.mjs'

let caughtUp: number[]
let absence: Absence

beforeEach(() => {
  jest.useFakeTimers()
  caughtUp = []
  absence = new Absence((missed: number) => caughtUp.push(missed))
})

afterEach(() => {
  absence.close()
  jest.useRealTimers()
})

it('counts what arrives after a return, until there is a pause', () => {
  absence.end()
  for (const isMissed of [true, true, false]) {
    jest.advanceTimersByTime(200)
    expect(absence.isCatchingUp).toBe(true)
    absence.count(isMissed)
  }
  jest.advanceTimersByTime(300)
  expect([caughtUp, absence.isCatchingUp]).toEqual([[2], false])
})

it('ends where people talk without a pause', () => {
  absence.end()
  for (let count = 0; count < 10; count++) {
    jest.advanceTimersByTime(200)
    if (absence.isCatchingUp) absence.count(true)
  }
  jest.advanceTimersByTime(200)
  expect([caughtUp, absence.isCatchingUp]).toEqual([[9], false])
})

it('begins anew with the next absence, also one that comes while it counts', () => {
  absence.end()
  absence.count(true)
  absence.begin()
  expect(caughtUp).toEqual([1])
  absence.end()
  jest.advanceTimersByTime(300)
  expect(caughtUp).toEqual([1, 0])
})

it('does not take going on without an absence for a return', () => {
  absence.end()
  jest.advanceTimersByTime(300)
  absence.end()
  expect(absence.isCatchingUp).toBe(false)
})
