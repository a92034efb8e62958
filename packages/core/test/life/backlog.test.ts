import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { certificate, clientFrame, connectClient, handshake, headArrived, maskedText, opcodes } from '@oneport/test-kit'
import { type AttachmentStats, type AttachOptions, acceptWebSocket, type EndpointOptions } from '../../src/index.ts'
import { open, read, serve, stopAll } from '../server.ts'

/** The memory of the program, in bytes. */
interface Memory {
  readonly cause?: string
  readonly used: number
  readonly rss: number
  readonly peak: number
  readonly stats?: AttachmentStats
}

let child: ChildProcess | undefined

afterEach(async () => {
  await stopAll()
  if (child === undefined) return
  child.kill('SIGKILL')
  await once(child, 'exit')
  child = undefined
})

const times = (count: number, bytes: Buffer) => Buffer.concat(Array.from({ length: count }, () => bytes))
const message = maskedText('a')
const ping = clientFrame(opcodes.ping, 'a')
/** A chunk of 64 KiB, filled with copies of one frame. */
const chunkOf = (bytes: Buffer) => times(Math.floor(65_536 / bytes.length), bytes)

/** Starts the program, with a heap smaller than a client's limit. It has already echoed to a client that reads. */
async function start(options: EndpointOptions, tls?: object) {
  const file = join(__dirname, '..', 'process', 'stalled-clients.mjs')
  const program = fork(file, [JSON.stringify({ options, tls })], {
    // With a small young generation, so that the measurements contain little garbage.
    execArgv: ['--expose-gc', '--max-old-space-size=128', '--max-semi-space-size=1'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc']
  })
  child = program
  const [port] = (await once(program, 'message')) as [number]
  const target = { port, tls: tls !== undefined }
  const warm = await open(target)
  warm.write(handshake('/'))
  await read(warm, headArrived)
  const echoed = new Promise<void>((resolve) => {
    let length = 0
    warm.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length === 60_000) resolve()
    })
  })
  warm.write(times(20_000, message))
  await echoed
  warm.destroy()
  const told = async (): Promise<Memory> => ((await once(program, 'message')) as [Memory])[0]
  const ask = (): Promise<Memory> => {
    const answer = told()
    program.send('memory')
    return answer
  }
  return { target, told, ask }
}

/** Sends a chunk again and again until something has happened. What is sent may wait for ever. */
async function flood(raw: Socket, chunk: Buffer, until: Promise<unknown>): Promise<void> {
  let isOver = false
  const over = until.then(() => {
    isOver = true
  })
  const gone = new Promise((resolve) => raw.once('close', resolve))
  while (!isOver && !raw.destroyed) {
    if (!raw.write(chunk)) await Promise.race([over, gone, new Promise((resolve) => raw.once('drain', resolve))])
  }
}

const mebibyte = 1_048_576
const bounds: [shown: string, options: EndpointOptions, bound: number][] = [
  ['16 MiB, the default', {}, 16 * mebibyte],
  ['64 MiB', { maxBufferedBytes: 64 * mebibyte }, 64 * mebibyte]
]
const deflate: EndpointOptions = { perMessageDeflate: { threshold: 0 } }
const burst = maskedText('300000')
const kinds: [shown: string, options: EndpointOptions, path: string, chunk: Buffer, isTls: boolean][] = [
  ['one-byte text messages', {}, '/', chunkOf(message), false],
  ['one-byte binary messages', {}, '/', chunkOf(clientFrame(opcodes.binary, 'a')), false],
  ['empty messages', {}, '/', chunkOf(clientFrame(opcodes.binary)), false],
  ['one-byte messages without coalesce', { coalesce: false }, '/', chunkOf(message), false],
  ['pings', {}, '/', chunkOf(ping), false],
  ['one-byte messages with permessage-deflate', deflate, '/burst', burst, false],
  ['one-byte messages over TLS', {}, '/', chunkOf(message), true],
  ['pings over TLS', {}, '/', chunkOf(ping), true]
]

describe.each(bounds)(
  'regression: small messages cost a hundred times maxBufferedBytes; with %s',
  (_name, given, bound) => {
    // Filling a larger one takes long.
    test.each(bound === 16 * mebibyte ? kinds : kinds.slice(0, 1))(
      '%s to a client that never reads stay within twice that, and are counted',
      async (...kind) => {
        const [, options, path, chunk, isTls] = kind
        const { target, told, ask } = await start(
          { closeTimeoutMs: 20, ...options, ...given },
          isTls ? await certificate() : undefined
        )
        const before = await ask()
        const raw = await open(target)
        raw.write(handshake(path, options === deflate ? { 'Sec-WebSocket-Extensions': 'permessage-deflate' } : {}))
        await read(raw, headArrived)
        raw.pause()
        const ended = told()
        await flood(raw, chunk, ended)
        const { cause, used, peak } = await ended
        expect(cause).toBe('backpressure')
        expect(used - before.used).toBeLessThan(2 * bound)
        // Some resident memory is kept by the process for later.
        expect(peak - before.rss).toBeLessThan(2 * bound + 8 * mebibyte)
        raw.destroy()
        // The process is alive, and accepts others.
        const client = await connectClient(target, '/')
        client.socket.send('still there')
        expect(await client.next()).toBe('still there')
        client.socket.terminate()
        expect((await ask()).stats?.terminated).toEqual({ heartbeat: 0, backpressure: 1, budget: 0, drain: 0 })
      },
      60_000
    )
  }
)

test('a client that does not read is closed with 1013', async () => {
  const { target, attachment } = await serve((req, res) =>
    acceptWebSocket(req, res, { maxBufferedBytes: 65_536 }, (socket) => {
      for (let sent = 0; sent < 1_000; sent++) socket.send(Buffer.alloc(16_384))
    })
  )
  const raw = await open(target)
  raw.write(handshake('/'))
  const text = await read(raw, (text) => text.endsWith('too much unread'))
  expect(text.slice(-19)).toBe('\x88\x11\x03\xf5too much unread')
  expect(attachment.stats().terminated.backpressure).toBe(1)
})

/** Reads the answers to a million one-byte messages. */
async function readMillion(
  options: AttachOptions,
  send: (raw: Socket) => unknown,
  tls = false
): Promise<Memory['stats']> {
  const { target, ask } = await start({ maxBufferedBytes: mebibyte, ...options }, tls ? await certificate() : undefined)
  const raw = await open(target)
  raw.write(handshake('/'))
  await read(raw, headArrived)
  let length = 0
  const all = new Promise<void>((resolve) => {
    raw.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length >= 3_000_000) resolve()
    })
    raw.once('close', resolve)
  })
  await send(raw)
  await all
  expect(length).toBe(3_000_000)
  raw.destroy()
  return (await ask()).stats
}

describe('regression: a client that reads was closed for too many small messages; now it gets a million', () => {
  const nothing = { heartbeat: 0, backpressure: 0, budget: 0, drain: 0 }

  test.each([
    ['sent in one write, with a maxBufferedBytes of 1 MiB', {}, false],
    // TLS writes in the turn after the one in which 16 KiB arrive: as short messages, these take more than 1 MiB.
    ['sent in one write, over TLS, with a maxBufferedBytes of 4 MiB', { maxBufferedBytes: 4 * mebibyte }, true]
  ])(
    '%s',
    async (_name, options, tls) => {
      const stats = await readMillion(options, (raw) => raw.write(times(1_000_000, message)), tls)
      expect(stats?.terminated).toEqual(nothing)
    },
    60_000
  )

  test('sent in many ticks', async () => {
    const stats = await readMillion({}, async (raw) => {
      for (let tick = 0; tick < 1_000; tick++) {
        raw.write(times(1_000, message))
        await new Promise(setImmediate)
      }
    })
    expect(stats?.terminated).toEqual(nothing)
  }, 60_000)

  test('with an answer to each of a thousand pings in one chunk', async () => {
    const { target, attachment } = await serve((req, res) => acceptWebSocket(req, res, () => {}))
    const raw = await open(target)
    raw.write(handshake('/'))
    await read(raw, headArrived)
    raw.write(times(1_000, ping))
    expect(await read(raw, (text) => text.length === 3_000)).toBe('\x8a\x01a'.repeat(1_000))
    expect(attachment.stats().terminated).toEqual(nothing)
  })
})
