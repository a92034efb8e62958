import { renew } from '../../src/copy.ts'
import { Deadlines, type Due } from '../../src/life/deadlines.ts'
import { HeldMessages } from '../../src/life/held-messages.ts'
import { Timers } from '../../src/life/timers.ts'

describe('held messages', () => {
  test.each<[kind: string, data: unknown]>([
    ['a Buffer', Buffer.alloc(65_536)],
    ['an ArrayBuffer', new ArrayBuffer(65_536)],
    ['a Blob', new Blob([Buffer.alloc(65_536)])],
    ['a list of Buffers', [Buffer.alloc(32_768), Buffer.alloc(32_768)]]
  ])('count the cost of %s, and release it once', (_kind, data) => {
    const held = new HeldMessages(() => {})
    held.add([data, true])
    expect([held.isFull, held.isEmpty]).toEqual([true, false])
    expect(held.take()).toEqual([data, true])
    expect([held.isFull, held.isEmpty, held.take()]).toEqual([false, true, undefined])
  })

  test('count a message without a size with the overhead of keeping it', () => {
    const held = new HeldMessages(() => {})
    held.add([{}, false])
    expect(held.isFull).toBe(false)
  })

  test('report once that they have waited for too long', () => {
    const giveUp = jest.fn()
    expect(new HeldMessages(giveUp).expire()).toBe(false)
    expect(giveUp).toHaveBeenCalledTimes(1)
  })
})

describe('expireFirst', () => {
  const due = (again: boolean): Due & { expire: jest.Mock } => ({
    expire: jest.fn(() => again),
    due: undefined,
    inFront: undefined,
    behind: undefined
  })

  test('expires the oldest one, which may get more time', () => {
    const deadlines = new Deadlines(Infinity, new Timers())
    deadlines.expireFirst()
    const [patient, other] = [due(true), due(false)]
    for (const one of [patient, other]) deadlines.add(one, 0)
    deadlines.expireFirst()
    expect([...deadlines]).toEqual([other, patient])
    deadlines.expireFirst()
    expect([...deadlines]).toEqual([patient])
  })
})

test.each([[null], [undefined], ['socket'], [{}]])('renew says what it expects if it gets %j', (socket) => {
  expect(() => renew(socket as never, Date.now())).toThrow(
    /^renew: expected a socket that was opened by acceptWebSocket\(\)/
  )
})
