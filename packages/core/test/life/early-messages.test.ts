import { once } from 'node:events'
import type { Socket } from 'node:net'
import { constants, deflateRawSync } from 'node:zlib'
import { clientFrame, handshake, headArrived, maskedText, opcodes } from '@oneport/test-kit'
import type { WebSocket } from 'ws'
import { type AttachOptions, acceptWebSocket } from '../../src/index.ts'
import { connectionOf } from '../../src/life/contained-socket.ts'
import { open, read, type Served, serve, stopAll } from '../server.ts'

afterEach(async () => {
  jest.useRealTimers()
  await stopAll()
})

const times = (count: number, bytes: Buffer) => Buffer.concat(Array.from({ length: count }, () => bytes))
const empty = clientFrame(opcodes.binary)
const ping = clientFrame(opcodes.ping)
const closeFrame = clientFrame(opcodes.close, Buffer.from([0x0f, 0xa1]))

/** 64 KiB of the letter a, in about 80 bytes. */
const inflating = clientFrame(
  opcodes.text,
  deflateRawSync(Buffer.alloc(65_536, 'a'), { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4),
  { reserved: 4 }
)

interface Early extends Served {
  readonly raw: Socket
  readonly socket: WebSocket
  /** Runs the rest of the handler. */
  go(): void
  /** Sizes of the messages that the handler got, in order. */
  readonly taken: number[]
}

/** A handler that listens when the test says so. */
async function early(
  options: AttachOptions = {},
  then: (socket: WebSocket, taken: number[]) => unknown = listen
): Promise<Early> {
  const taken: number[] = []
  let go = (): void => {}
  let accepted: WebSocket | undefined
  const served = await serve(
    (req, res) =>
      acceptWebSocket(req, res, async (socket) => {
        accepted = socket
        await new Promise<void>((resolve) => {
          go = resolve
        })
        await then(socket, taken)
      }),
    options
  )
  const raw = await open(served.target)
  raw.write(handshake('/', options.perMessageDeflate ? { 'Sec-WebSocket-Extensions': 'permessage-deflate' } : {}))
  await read(raw, headArrived)
  return { ...served, raw, socket: accepted as WebSocket, go: () => go(), taken }
}

function listen(socket: WebSocket, taken: number[]): void {
  socket.on('message', (data: Buffer) => taken.push(data.length))
}

/** Counts the messages that `ws` emits without a listener, and the memory they take. */
function counting(socket: WebSocket) {
  const held = { count: 0, bytes: 0 }
  const receiver = (socket as unknown as { _receiver: NodeJS.EventEmitter })._receiver
  receiver.prependListener('message', (data: Buffer) => {
    held.count++
    held.bytes += data.length
  })
  return held
}

/** Writes more than the server reads, and waits until it stops reading. */
async function overfill({ raw, socket }: Early, bytes: Buffer): Promise<void> {
  raw.write(bytes)
  while (connectionOf(socket)?.isPaused !== true) await new Promise(setImmediate)
}

const bound = 65_536
const slice = 1_024

describe('regression: messages without a listener were not bounded', () => {
  test.each([
    ['empty', empty, 0],
    ['one-byte', maskedText('a'), 1]
  ])(
    '%s ones are now, and a million of them reach the listener',
    async (_name, bytes, size) => {
      const it = await early()
      const { socket, go, taken } = it
      const held = counting(socket)
      await overfill(it, times(1_000_000, bytes))
      // At 256 bytes each, plus what one more slice may contain.
      expect(held.count).toBeLessThanOrEqual(bound / 256 + slice / bytes.length + 1)
      expect(held.count).toBeGreaterThan(200)
      go()
      while (taken.length < 1_000_000) await new Promise(setImmediate)
      expect(taken.every((length) => length === size)).toBe(true)
      expect(taken).toHaveLength(1_000_000)
    },
    60_000
  )

  test('compressed ones are now, although one chunk grows to a thousand times its size', async () => {
    const it = await early({ perMessageDeflate: true })
    const { socket, go, taken } = it
    const held = counting(socket)
    await overfill(it, times(800, inflating))
    while (held.bytes <= bound) await new Promise(setImmediate)
    for (let turn = 0; turn < 200; turn++) await new Promise(setImmediate)
    const inSlice = Math.ceil(slice / inflating.length) + 1
    expect(held.bytes).toBeLessThanOrEqual(bound + inSlice * 65_536)
    go()
    while (taken.length < 800) await new Promise(setImmediate)
    expect(new Set(taken)).toEqual(new Set([65_536]))
    expect(held.count).toBe(800)
  }, 60_000)
})

describe('messages without a listener yet', () => {
  test.each([
    ['', false],
    ['compressed ', true]
  ])('%sones reach the listener in order, before later ones', async (_name, perMessageDeflate) => {
    const values: string[] = []
    const { raw, go } = await early({ perMessageDeflate }, (socket) =>
      socket.on('message', (data) => values.push(String(data)))
    )
    const numbered = (from: number, to: number) =>
      Buffer.concat(Array.from({ length: to - from }, (_none, index) => maskedText(String(from + index))))
    raw.write(Buffer.concat([numbered(0, 5_000), ping]))
    raw.write(numbered(5_000, 5_100))
    go()
    raw.write(numbered(5_100, 10_000))
    while (values.length < 10_000) await new Promise(setImmediate)
    expect(values).toEqual(Array.from({ length: 10_000 }, (_none, index) => String(index)))
  })

  test('do not keep pings after them from being answered', async () => {
    const { raw } = await early()
    raw.write(Buffer.concat([times(20, maskedText('a')), times(150, ping), times(20, empty), times(150, ping)]))
    expect(await read(raw, (all) => all.length === 600)).toBe('\x8a\x00'.repeat(300))
  })

  test('reach a handler one at a time if it reads them like that', async () => {
    const values: string[] = []
    const { raw, go, socket } = await early({}, async (socket) => {
      while (values.length < 2_000) {
        const [data] = (await once(socket, 'message')) as [Buffer]
        values.push(String(data))
        if (values.length % 100 === 0) await new Promise(setImmediate)
      }
    })
    raw.write(Buffer.concat(Array.from({ length: 2_000 }, (_none, index) => maskedText(String(index)))))
    go()
    while (values.length < 2_000) await new Promise(setImmediate)
    expect(values).toEqual(Array.from({ length: 2_000 }, (_none, index) => String(index)))
    socket.terminate()
  })

  test('reach the listener before the close frame after them', async () => {
    const heard: string[] = []
    const { raw, go } = await early({}, (socket) => {
      socket.on('message', (data) => heard.push(String(data)))
      socket.on('close', (code) => heard.push(`close ${code}`))
    })
    raw.write(
      Buffer.concat([...Array.from({ length: 1_000 }, (_none, index) => maskedText(String(index))), closeFrame])
    )
    go()
    while (heard.at(-1) !== 'close 4001') await new Promise(setImmediate)
    expect(heard).toEqual([...Array.from({ length: 1_000 }, (_none, index) => String(index)), 'close 4001'])
  })

  test.each([
    ['in order', (raw: Socket) => raw.end(closeFrame)],
    ['by a FIN', (raw: Socket) => raw.end()],
    ['by a reset', (raw: Socket) => raw.resetAndDestroy()]
  ])('are released when the client leaves meanwhile %s', async (_name, leave) => {
    const { raw, socket, attachment, go } = await early({ closeTimeoutMs: 50 })
    const closes = new Promise((resolve) => socket.once('close', resolve))
    raw.write(Buffer.concat([times(100, maskedText('a')), ping]))
    await read(raw, (all) => all.includes('\x8a'))
    raw.resume()
    leave(raw)
    await closes
    while (attachment.stats().open > 0) await new Promise(setImmediate)
    go()
  })

  test('wait for 10 seconds; then they are dropped if there is no listener, and reading continues', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate', 'setInterval'] })
    const it = await early()
    const { raw, socket, taken, go } = it
    await overfill(it, times(100_000, maskedText('a')))
    jest.advanceTimersByTime(10_000)
    raw.write(ping)
    await read(raw, (all) => all.includes('\x8a'))
    expect(taken).toEqual([])
    jest.useRealTimers()
    go()
    while (socket.listenerCount('message') === 0) await new Promise(setImmediate)
    raw.write(maskedText('late'))
    while (taken.length === 0) await new Promise(setImmediate)
    expect(taken).toEqual([4])
  })

  test.each([
    ['drain', ({ attachment }: Early) => attachment.drain({ deadlineMs: 50 })],
    [
      'server.close()',
      ({ server, raw }: Early) => {
        raw.on('data', () => {}).once('end', () => raw.end())
        return once(server.close(), 'close')
      }
    ]
  ])('do not keep %s from finishing', async (_name, stop) => {
    const it = await early({ closeTimeoutMs: 50 })
    await overfill(it, times(100_000, maskedText('a')))
    await stop(it)
    while (it.attachment.stats().open > 0) await new Promise(setImmediate)
    it.go()
  })
})
