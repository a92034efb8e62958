import { Visits } from '../public/visits.mjs'

let log: string[]
let visits: Visits

beforeEach(() => {
  jest.useFakeTimers()
  log = []
  visits = new Visits((nickname: string, hasJoined: boolean) =>
    log.push(`${nickname} ${hasJoined ? 'joined' : 'left'}`)
  )
})

afterEach(() => {
  visits.close()
  jest.useRealTimers()
})

/** Who is in the room, each with the time since when. */
const see = (members: Record<string, number>): void =>
  visits.update(
    Object.entries(members).map(([nickname, since]) => ({ nickname, since })),
    'Ada'
  )

it('tells who has joined, but not who was there before, even if that is known later', () => {
  see({ Ada: 5 })
  see({ Ada: 5, Grace: 3 })
  see({ Ada: 5, Grace: 3, Bo: 7 })
  expect(log).toEqual(['Bo joined'])
})

it('tells who has left, unless they are back within a second', () => {
  see({ Ada: 5, Grace: 3, Bo: 4 })
  see({ Ada: 5 })
  jest.advanceTimersByTime(999)
  see({ Ada: 5, Grace: 8 })
  jest.advanceTimersByTime(5_000)
  expect(log).toEqual(['Bo left'])
})

it('tells that somebody has joined again', () => {
  see({ Ada: 5, Grace: 3 })
  see({ Ada: 5 })
  jest.advanceTimersByTime(1_000)
  see({ Ada: 5, Grace: 9 })
  expect(log).toEqual(['Grace left', 'Grace joined'])
})

it('tells nothing before it sees itself', () => {
  see({ Grace: 9 })
  see({ Ada: 10, Grace: 9 })
  expect(log).toEqual([])
})
