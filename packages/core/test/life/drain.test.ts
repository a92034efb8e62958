import type { Connection } from '../../src/life/connection.ts'
import { Connections } from '../../src/life/connections.ts'
import { ContainedWebSocket } from '../../src/life/contained-socket.ts'
import { type DrainOptions, type DrainResult, drain } from '../../src/life/drain.ts'
import { Timers } from '../../src/life/timers.ts'
import { resolveOptions } from '../../src/options/server.ts'

/** What drain uses of a socket. The peer answers a close when the test says so, or at once. */
class FakeSocket extends ContainedWebSocket {
  readonly closes: unknown[][] = []
  terminations = 0
  readonly #answers: boolean

  constructor(answers: boolean) {
    super(null, undefined, {})
    this.#answers = answers
  }

  override close(...args: unknown[]): void {
    this.closes.push(args)
    // Not queueMicrotask: the fake timers have that one too.
    if (this.#answers) void Promise.resolve().then(() => this.emit('close'))
  }

  override terminate(): void {
    this.terminations++
    this.emit('close')
  }
}

function connect(connections: Connections, count: number, answers = true): FakeSocket[] {
  return Array.from({ length: count }, () => {
    const socket = new FakeSocket(answers)
    const connection = {
      socket,
      passes: () => true,
      isReading: true,
      close: (...args: unknown[]) => socket.close(...args),
      terminate: () => socket.terminate()
    } as Partial<Connection> as Connection
    ContainedWebSocket.tie(socket, connection)
    connections.add(connection)
    socket.on('close', () => connections.remove(connection, 1000))
    return socket
  })
}

const closed = (sockets: FakeSocket[]) => sockets.filter((socket) => socket.closes.length > 0).length
const terminated = (sockets: FakeSocket[]) => sockets.filter((socket) => socket.terminations > 0).length

/** What a promise has come to, without waiting for it. */
function watch(promise: Promise<DrainResult>): { result?: DrainResult; error?: unknown } {
  const outcome: { result?: DrainResult; error?: unknown } = {}
  promise.then(
    (result) => Object.assign(outcome, { result }),
    (error: unknown) => Object.assign(outcome, { error })
  )
  return outcome
}

let connections: Connections

beforeEach(() => {
  jest.useFakeTimers()
  connections = new Connections(resolveOptions({ heartbeat: false }), new Timers())
})

afterEach(() => {
  jest.useRealTimers()
})

describe('drain', () => {
  test('refuses new connections from the call on', () => {
    connect(connections, 1, false)
    watch(drain(connections))
    expect(connections.draining).toBe(true)
  })

  test('resolves at once where no connection is open, and leaves no timer', async () => {
    expect(await drain(connections)).toEqual({ closed: 0, terminated: 0 })
    expect(await drain(connections, { spreadMs: 1_000 })).toEqual({ closed: 0, terminated: 0 })
    expect(jest.getTimerCount()).toBe(0)
  })

  test('closes all connections with 1001 and no reason', async () => {
    const sockets = connect(connections, 3)
    expect(await drain(connections)).toEqual({ closed: 3, terminated: 0 })
    expect(sockets.map((socket) => socket.closes)).toEqual([[[1001, '']], [[1001, '']], [[1001, '']]])
    expect(jest.getTimerCount()).toBe(0)
  })

  test('closes with the code and the reason that it is given', async () => {
    const sockets = connect(connections, 1)
    await drain(connections, { code: 1012, reason: 'deploy' })
    expect(sockets[0]?.closes).toEqual([[1012, 'deploy']])
  })

  test('does not resolve while a connection is open', async () => {
    const sockets = connect(connections, 2, false)
    const outcome = watch(drain(connections))
    sockets[0]?.emit('close')
    await jest.advanceTimersByTimeAsync(0)
    expect(outcome).toEqual({})
    sockets[1]?.emit('close')
    await jest.advanceTimersByTimeAsync(0)
    expect(outcome).toEqual({ result: { closed: 2, terminated: 0 } })
    expect(jest.getTimerCount()).toBe(0)
  })

  test('terminates after 5 seconds what has not closed', async () => {
    const sockets = [...connect(connections, 2), ...connect(connections, 3, false)]
    const outcome = watch(drain(connections))
    await jest.advanceTimersByTimeAsync(4_999)
    expect(terminated(sockets)).toBe(0)
    expect(outcome).toEqual({})
    await jest.advanceTimersByTimeAsync(1)
    expect(sockets.map((socket) => socket.terminations)).toEqual([0, 0, 1, 1, 1])
    expect(outcome).toEqual({ result: { closed: 2, terminated: 3 } })
    expect(jest.getTimerCount()).toBe(0)
  })

  test('terminates at the deadline that it is given', async () => {
    const sockets = connect(connections, 1, false)
    const outcome = watch(drain(connections, { deadlineMs: 100 }))
    await jest.advanceTimersByTimeAsync(99)
    expect(terminated(sockets)).toBe(0)
    await jest.advanceTimersByTimeAsync(1)
    expect(terminated(sockets)).toBe(1)
    expect(outcome).toEqual({ result: { closed: 0, terminated: 1 } })
  })

  test('gives every connection at least its close frame where the deadline is 0', async () => {
    const sockets = connect(connections, 2, false)
    const outcome = watch(drain(connections, { deadlineMs: 0 }))
    expect(closed(sockets)).toBe(2)
    await jest.advanceTimersByTimeAsync(1)
    expect(terminated(sockets)).toBe(2)
    expect(outcome).toEqual({ result: { closed: 0, terminated: 2 } })
  })

  test('counts a connection that ends by itself among the closed ones', async () => {
    const sockets = connect(connections, 1, false)
    const outcome = watch(drain(connections, { spreadMs: 1_000 }))
    sockets[0]?.emit('close')
    await jest.advanceTimersByTimeAsync(0)
    expect(outcome).toEqual({ result: { closed: 1, terminated: 0 } })
    expect(jest.getTimerCount()).toBe(0)
  })

  test('closes a connection too whose handshake ends while it drains', async () => {
    connect(connections, 1, false)
    watch(drain(connections, { code: 1012 }))
    const [late] = connect(connections, 1, false)
    await jest.advanceTimersByTimeAsync(1_000)
    expect(late?.closes).toEqual([[1012, '']])
  })

  test('closes a connection too whose handshake ends when no other was left', async () => {
    await drain(connections, { code: 1012 })
    const [late] = connect(connections, 1, false)
    await jest.advanceTimersByTimeAsync(1_000)
    expect(late?.closes).toEqual([[1012, '']])
  })

  test('counts no connection less than once where one joins while it drains', async () => {
    const [early] = connect(connections, 1, false)
    const outcome = watch(drain(connections, { deadlineMs: 100 }))
    connect(connections, 2, false)
    early?.emit('close')
    await jest.advanceTimersByTimeAsync(100)
    expect(outcome).toEqual({ result: { closed: 1, terminated: 2 } })
  })

  test('may be called again while it runs, and both calls resolve', async () => {
    const sockets = connect(connections, 1, false)
    const [first, second] = [watch(drain(connections)), watch(drain(connections))]
    sockets[0]?.emit('close')
    await jest.advanceTimersByTimeAsync(10_000)
    expect(first).toEqual({ result: { closed: 1, terminated: 0 } })
    expect(second).toEqual({ result: { closed: 1, terminated: 0 } })
  })
})

describe('drain over a time', () => {
  test('closes evenly', async () => {
    const sockets = connect(connections, 100)
    const outcome = watch(drain(connections, { spreadMs: 1_000 }))
    const seen: number[] = [closed(sockets)]
    for (let step = 0; step < 10; step++) {
      await jest.advanceTimersByTimeAsync(100)
      seen.push(closed(sockets))
    }
    expect(seen).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100])
    expect(outcome).toEqual({ result: { closed: 100, terminated: 0 } })
    expect(jest.getTimerCount()).toBe(0)
  })

  test('closes each connection once, in the order in which they came', async () => {
    const order: number[] = []
    const sockets = connect(connections, 50)
    sockets.forEach((socket, index) => {
      socket.on('close', () => order.push(index))
    })
    watch(drain(connections, { spreadMs: 200 }))
    await jest.advanceTimersByTimeAsync(1_000)
    expect(sockets.map((socket) => socket.closes.length)).toEqual(sockets.map(() => 1))
    expect(order).toEqual(sockets.map((_, index) => index))
  })

  test('spreads a few connections over a long time', async () => {
    const sockets = connect(connections, 2)
    watch(drain(connections, { spreadMs: 60_000 }))
    await jest.advanceTimersByTimeAsync(29_000)
    expect(closed(sockets)).toBe(1)
    await jest.advanceTimersByTimeAsync(31_000)
    expect(closed(sockets)).toBe(2)
  })

  test('has closed all when a time is over that is shorter than one step', async () => {
    const sockets = connect(connections, 10)
    watch(drain(connections, { spreadMs: 1 }))
    await jest.advanceTimersByTimeAsync(20)
    expect(closed(sockets)).toBe(10)
  })

  test('uses as few timers for many connections as for one', () => {
    connect(connections, 10_000, false)
    watch(drain(connections, { spreadMs: 30_000 }))
    expect(jest.getTimerCount()).toBe(2)
  })

  test('terminates 5 seconds after the last close what has not answered', async () => {
    const sockets = connect(connections, 2, false)
    const outcome = watch(drain(connections, { spreadMs: 1_000 }))
    await jest.advanceTimersByTimeAsync(5_999)
    expect(terminated(sockets)).toBe(0)
    await jest.advanceTimersByTimeAsync(1)
    expect(terminated(sockets)).toBe(2)
    expect(outcome).toEqual({ result: { closed: 0, terminated: 2 } })
  })

  test('has no timer but the deadline once all are closed', async () => {
    connect(connections, 2, false)
    watch(drain(connections, { spreadMs: 1_000 }))
    await jest.advanceTimersByTimeAsync(1_020)
    expect(jest.getTimerCount()).toBe(1)
  })

  test('closes no more while what was terminated comes to its end', async () => {
    const sockets = connect(connections, 10, false)
    for (const socket of sockets) socket.terminate = () => setTimeout(() => socket.emit('close'), 300)
    const outcome = watch(drain(connections, { spreadMs: 1_000, deadlineMs: 500 }))
    await jest.advanceTimersByTimeAsync(799)
    expect(closed(sockets)).toBe(5)
    expect(outcome).toEqual({})
    await jest.advanceTimersByTimeAsync(1)
    expect(outcome).toEqual({ result: { closed: 0, terminated: 10 } })
  })

  test('closes no more after a deadline that comes first', async () => {
    const sockets = connect(connections, 10)
    const outcome = watch(drain(connections, { spreadMs: 1_000, deadlineMs: 500 }))
    await jest.advanceTimersByTimeAsync(2_000)
    expect(closed(sockets)).toBe(5)
    expect(terminated(sockets)).toBe(5)
    expect(outcome).toEqual({ result: { closed: 5, terminated: 5 } })
    expect(jest.getTimerCount()).toBe(0)
  })
})

describe('options of drain', () => {
  const rejection = async (options: object) => {
    const sockets = connect(connections, 1)
    const error: unknown = await drain(connections, options as DrainOptions).catch((reason: unknown) => reason)
    // Node's own TypeErrors are not of the class that Jest's sandbox knows.
    expect(error).toMatchObject({ name: 'TypeError' })
    // A wrong call has begun nothing.
    expect(connections.draining).toBe(false)
    expect(closed(sockets)).toBe(0)
    expect(jest.getTimerCount()).toBe(0)
    return (error as TypeError).message
  }

  test.each([1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999])(
    'take the close code %d',
    async (code) => {
      const sockets = connect(connections, 1)
      expect(await drain(connections, { code })).toEqual({ closed: 1, terminated: 0 })
      expect(sockets[0]?.closes).toEqual([[code, '']])
    }
  )

  test.each([999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 0, -1, Number.NaN, Infinity, 1000.5, '1001', null])(
    'do not take the close code %p, which may not be sent',
    async (code) => {
      expect(await rejection({ code })).toBe(
        `code: expected a close code that may be sent; got ${typeof code === 'string' ? `'${code}'` : code}`
      )
    }
  )

  test('take a reason of 123 bytes', async () => {
    const sockets = connect(connections, 1)
    const reason = `${'ä'.repeat(61)}!`
    await drain(connections, { reason })
    expect(sockets[0]?.closes).toEqual([[1001, reason]])
  })

  test.each(['a'.repeat(124), 'ä'.repeat(62)])('do not take a reason of 124 bytes', async (reason) => {
    expect(await rejection({ reason })).toBe(
      `reason: expected a string of at most 123 bytes (RFC 6455 §5.5); got '${reason}'`
    )
  })

  test.each([5, null, {}])('do not take the reason %p', async (reason) => {
    await rejection({ reason })
  })

  test.each(['spreadMs', 'deadlineMs'])('do not take a wrong %s', async (name) => {
    for (const value of [-1, Number.NaN, Infinity, '5', null, true]) {
      expect(await rejection({ [name]: value })).toBe(
        `${name}: expected a number of milliseconds from 0 to 2147483647; got ${value === '5' ? "'5'; did you mean 5?" : value}`
      )
      connections = new Connections(resolveOptions({ heartbeat: false }), new Timers())
    }
  })

  // https://nodejs.org/api/timers.html#settimeoutcallback-delay-args: a longer delay becomes one millisecond.
  test.each([{ deadlineMs: 2 ** 31 }, { spreadMs: 2 ** 31 }])(
    'do not cut connections at once for a time that no timer can hold: %p',
    async (options) => {
      const sockets = connect(connections, 1, false)
      watch(drain(connections, options))
      await jest.advanceTimersByTimeAsync(1_000)
      expect(terminated(sockets)).toBe(0)
    }
  )
})
