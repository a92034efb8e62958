import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import { clientFrame, closed, connectClient, handshake, headArrived, maskedText, opcodes } from '@oneport/test-kit'
import type { WebSocket } from 'ws'
import { type AcceptOptions, type AttachOptions, acceptWebSocket } from '../../src/index.ts'
import { type Spending, spend } from '../../src/life/budget.ts'
import { open, read, serve, stopAll } from '../server.ts'

afterEach(stopAll)

const message = maskedText('a')
const ping = clientFrame(opcodes.ping, 'a')
const times = (count: number, bytes: Buffer) => Buffer.concat(Array.from({ length: count }, () => bytes))

/** A server whose endpoint counts delivered messages. */
async function counting(options: AttachOptions, endpoint?: AcceptOptions) {
  const delivered = { message: 0, ping: 0, close: [] as number[] }
  const count = (socket: WebSocket) => {
    socket.on('message', () => delivered.message++)
    socket.on('ping', () => delivered.ping++)
    socket.on('close', (code) => delivered.close.push(code))
  }
  const served = await serve(
    (req, res) =>
      endpoint === undefined ? acceptWebSocket(req, res, count) : acceptWebSocket(req, res, endpoint, count),
    options
  )
  return { ...served, delivered }
}

/** Sends bytes after the handshake and reads until the server's close frame. */
async function sendAll(raw: Socket, ...chunks: Buffer[]): Promise<string> {
  raw.write(handshake('/'))
  await read(raw, headArrived)
  for (const chunk of chunks) raw.write(chunk)
  return read(raw, (text) => text.includes('\x88'))
}

const tooMany = '\x88\x13\x03\xf0too many messages'

describe('messageBudget', () => {
  test.each<[name: string, options: AttachOptions, endpoint: AcceptOptions | undefined]>([
    ['as a default', { messageBudget: { messages: 3, perMs: 60_000 } }, undefined],
    ['of the endpoint', {}, { messageBudget: { messages: 3, perMs: 60_000 } }],
    [
      'of the endpoint over the default',
      { messageBudget: { messages: 1, perMs: 60_000 } },
      { messageBudget: { messages: 3, perMs: 60_000 } }
    ]
  ])('%s closes with 1008 after too many messages, and delivers nothing more', async (_name, options, endpoint) => {
    const causes: unknown[] = []
    const note = (told: unknown) => void causes.push((told as { cause: string }).cause)
    subscribe('oneport:connection:terminated', note)
    const { target, attachment, delivered } = await counting(options, endpoint)
    const raw = await open(target)
    const text = await sendAll(raw, Buffer.concat([times(1, ping), times(500, message), times(500, ping)]))
    expect(text.endsWith(tooMany)).toBe(true)
    const [socket] = attachment.connections
    const end = closed(socket as WebSocket)
    raw.end(clientFrame(opcodes.close))
    await end
    unsubscribe('oneport:connection:terminated', note)
    expect(delivered).toEqual({ message: 2, ping: 1, close: [1005] })
    expect(attachment.stats().terminated).toEqual({ heartbeat: 0, backpressure: 0, budget: 1, drain: 0 })
    expect(causes).toEqual(['budget'])
  })

  test('counts pings, each of which is answered', async () => {
    const { target, attachment, delivered } = await counting({ messageBudget: { messages: 3, perMs: 60_000 } })
    await sendAll(await open(target), times(10, ping))
    expect(delivered).toMatchObject({ message: 0, ping: 3 })
    expect(attachment.stats().terminated.budget).toBe(1)
  })

  test.each<[name: string, options: AttachOptions, endpoint: AcceptOptions | undefined]>([
    ['is off by default', {}, undefined],
    [
      'is off if an endpoint turns the default off',
      { messageBudget: { messages: 1, perMs: 60_000 } },
      { messageBudget: false }
    ],
    ['is off if the default is false', { messageBudget: false }, undefined]
  ])('%s', async (_name, options, endpoint) => {
    const { target, attachment, delivered } = await counting(options, endpoint)
    const raw = await open(target)
    await sendAll(raw, times(1_000, message), times(50, ping), clientFrame(opcodes.close))
    expect(delivered).toMatchObject({ message: 1_000, ping: 50 })
    expect(attachment.stats().terminated.budget).toBe(0)
  })

  test('lets a client send as many again in the next window', async () => {
    const { target, attachment, delivered } = await counting({ messageBudget: { messages: 2, perMs: 20 } })
    const { socket } = await connectClient(target, '/')
    const [connection] = attachment.connections
    for (let window = 0; window < 4; window++) {
      const arrived = new Promise<void>((resolve) => {
        const second = () => delivered.message === 2 * (window + 1) && resolve()
        connection?.on('message', second)
      })
      socket.send('a')
      socket.send('b')
      await arrived
      const since = performance.now()
      while (performance.now() - since < 20) await new Promise(setImmediate)
    }
    expect(delivered.message).toBe(8)
    expect(attachment.stats().terminated.budget).toBe(0)
    socket.terminate()
  })

  test('counts a message that waits for a listener once', async () => {
    const taken: string[] = []
    let listen = (): void => {}
    const { target, attachment } = await serve(
      (req, res) =>
        acceptWebSocket(req, res, async (socket) => {
          await new Promise<void>((resolve) => {
            listen = resolve
          })
          socket.on('message', (data) => taken.push(String(data)))
          socket.on('ping', () => taken.push('ping'))
        }),
      { messageBudget: { messages: 5, perMs: 60_000 } }
    )
    const raw = await open(target)
    raw.write(handshake('/'))
    await read(raw, headArrived)
    raw.write(Buffer.concat([times(3, message), ping]))
    await read(raw, (text) => text.includes('\x8a'))
    listen()
    raw.write(message)
    while (taken.length < 4) await new Promise(setImmediate)
    expect(attachment.stats().terminated.budget).toBe(0)
    raw.write(message)
    expect((await read(raw, (text) => text.includes('\x88'))).endsWith(tooMany)).toBe(true)
    expect(taken).toEqual(['a', 'a', 'a', 'a'])
    expect(attachment.stats().terminated.budget).toBe(1)
  })

  test('closes a client whose messages have no listener yet, and does not deliver them', async () => {
    const taken: string[] = []
    let listen = (): void => {}
    const { target } = await serve(
      (req, res) =>
        acceptWebSocket(req, res, async (socket) => {
          await new Promise<void>((resolve) => {
            listen = resolve
          })
          socket.on('message', (data) => taken.push(String(data)))
        }),
      { messageBudget: { messages: 2, perMs: 60_000 } }
    )
    const raw = await open(target)
    expect((await sendAll(raw, times(3, message))).endsWith(tooMany)).toBe(true)
    listen()
    await new Promise(setImmediate)
    expect(taken).toEqual([])
  })

  test.each([
    [null, 'messageBudget: expected { messages, perMs } or false; got null'],
    [true, 'messageBudget: expected { messages, perMs } or false; got true'],
    [100, 'messageBudget: expected { messages, perMs } or false; got 100'],
    [[100, 1_000], 'messageBudget: expected { messages, perMs } or false'],
    [{}, 'messageBudget.messages: expected a positive whole number of messages; got undefined'],
    [{ messages: 0, perMs: 1 }, 'messageBudget.messages: expected a positive whole number of messages; got 0'],
    [{ messages: 1.5, perMs: 1 }, 'messageBudget.messages: expected'],
    [{ messages: Infinity, perMs: 1 }, 'messageBudget.messages: expected'],
    [{ messages: '1', perMs: 1 }, 'messageBudget.messages: expected'],
    [{ messages: 1 }, 'messageBudget.perMs: expected a positive whole number of milliseconds; got undefined'],
    [{ messages: 1, perMs: -1 }, 'messageBudget.perMs: expected'],
    [{ messages: 1, perMs: NaN }, 'messageBudget.perMs: expected'],
    [{ messages: 1, perMs: 1, per: 1 }, "unknown option 'messageBudget.per'; did you mean messageBudget.perMs?"]
  ])('%j is a TypeError, for attach and for an endpoint', async (value, text) => {
    const messageBudget = value as never
    await expect(serve(() => {}, { messageBudget })).rejects.toThrow(TypeError)
    await expect(serve(() => {}, { messageBudget })).rejects.toThrow(text)
    const faults: unknown[] = []
    const { target } = await serve((req, res) => acceptWebSocket(req, res, { messageBudget }, () => {}), {
      onError: (error) => void faults.push(error)
    })
    await expect(connectClient(target, '/')).rejects.toMatchObject({ statusCode: 500 })
    expect(faults).toEqual([expect.any(TypeError)])
  })
})

describe('spend', () => {
  afterEach(() => jest.useRealTimers())

  test('begins a window with the first message after the last one has ended', () => {
    jest.useFakeTimers()
    const spending: Spending = { windowFrom: -Infinity, spent: 0 }
    const budget = { messages: 2, perMs: 100 }
    const spendAfter = (ms: number) => {
      jest.advanceTimersByTime(ms)
      return spend(spending, budget)
    }
    expect([0, 99, 0, 1, 0, 0, 250, 99, 0, 1].map(spendAfter)).toEqual([
      true,
      true,
      false,
      true,
      true,
      false,
      true,
      true,
      false,
      true
    ])
  })
})

// What the compiler accepts; never run.
export const typed: AttachOptions[] = [
  { messageBudget: false },
  { messageBudget: undefined },
  { messageBudget: { messages: 1, perMs: 1 } },
  // @ts-expect-error only false turns it off
  { messageBudget: true },
  // @ts-expect-error both are needed
  { messageBudget: { messages: 1 } }
]
