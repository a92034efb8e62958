import type { Socket } from 'node:net'
import { clientFrame, handshake, headArrived, maskedText, opcodes } from '@oneport/test-kit'
import type { WebSocket } from 'ws'
import { acceptWebSocket, type WebSocketHandler } from '../../src/index.ts'
import { open, read, serve, stopAll } from '../server.ts'

afterEach(stopAll)

const message = maskedText('a')
const ping = clientFrame(opcodes.ping, 'a')
const pong = clientFrame(opcodes.pong, 'a')
const closeFrame = clientFrame(opcodes.close)
const unmasked = clientFrame(opcodes.text, 'a', { mask: [] })
const times = (count: number, bytes: Buffer) => Buffer.concat(Array.from({ length: count }, () => bytes))

/** A server whose faults are collected, and a client whose handshake it has accepted. */
async function faulty(handler: WebSocketHandler): Promise<{ raw: Socket; faults: string[]; socket: WebSocket }> {
  const faults: string[] = []
  const { target, attachment } = await serve((req, res) => acceptWebSocket(req, res, handler), {
    onError: (error, { phase }) => void faults.push(`${phase}: ${(error as Error).message}`)
  })
  const raw = await open(target)
  raw.write(handshake('/'))
  await read(raw, headArrived)
  const [socket] = attachment.connections
  return { raw, faults, socket: socket as WebSocket }
}

/** Without a listener for errors, which `once` of node:events would add. */
const endOf = (socket: WebSocket) => new Promise((resolve) => socket.prependOnceListener('close', resolve))

/** Records what a socket receives, and then does something for each message. */
const noting =
  (heard: string[], onMessage: () => unknown): WebSocketHandler =>
  (socket) => {
    for (const event of ['ping', 'pong', 'close']) socket.on(event, () => heard.push(event))
    socket.on('message', () => {
      heard.push('message')
      return onMessage()
    })
  }

const fail = () => {
  throw new Error('broken')
}
const reject = (): unknown => Promise.reject(new Error('broken'))

describe('regression: one client caused a report for each of its messages', () => {
  test('a listener that throws for each of 10 000 messages in one chunk is one fault, and receives only the end', async () => {
    const heard: string[] = []
    const { raw, faults, socket } = await faulty(noting(heard, fail))
    const end = endOf(socket)
    raw.write(Buffer.concat([ping, times(10_000, message), times(10, ping), times(10, pong)]))
    expect(await read(raw, (text) => text.includes('\x88'))).toContain('\x88\x02\x03\xf3')
    raw.write(Buffer.concat([times(1_000, message), closeFrame]))
    await end
    expect(faults).toEqual(['listener: broken'])
    expect(heard).toEqual(['ping', 'message', 'close'])
  })

  test('a listener that rejects for each of 10 000 messages in one chunk is one fault', async () => {
    const heard: string[] = []
    const { raw, faults, socket } = await faulty(noting(heard, reject))
    const end = endOf(socket)
    raw.write(times(10_000, message))
    await read(raw, (text) => text.includes('\x88'))
    const before = heard.length
    raw.write(Buffer.concat([times(1_000, message), ping, closeFrame]))
    await end
    expect(faults).toEqual(['listener: broken'])
    expect(heard.slice(before)).toEqual(['close'])
  })

  test.each([
    ['throws', fail],
    ['rejects', reject]
  ])('a handler that rejects after its listener %s is not a second one', async (_name, onMessage) => {
    let rejectHandler = (_error: Error): void => {}
    const { raw, faults, socket } = await faulty((socket) => {
      socket.on('message', onMessage)
      return new Promise<void>((_resolve, rejectNow) => {
        rejectHandler = rejectNow
      })
    })
    const end = endOf(socket)
    raw.write(message)
    await read(raw, (text) => text.includes('\x88'))
    rejectHandler(new Error('the handler, too'))
    raw.write(closeFrame)
    await end
    expect(faults).toEqual(['listener: broken'])
  })

  test('a listener that throws after the handler has is not called', async () => {
    const { raw, faults, socket } = await faulty((socket) => {
      socket.on('message', fail)
      throw new Error('the handler')
    })
    const end = endOf(socket)
    raw.write(Buffer.concat([times(10, message), closeFrame]))
    await end
    expect(faults).toEqual(['handler: the handler'])
  })

  test('a listener that throws for messages that have waited for it is one fault', async () => {
    const heard: string[] = []
    let listen = (): void => {}
    const { raw, faults, socket } = await faulty(async (socket) => {
      await new Promise<void>((resolve) => {
        listen = resolve
      })
      await noting(heard, fail)(socket, undefined as never)
    })
    const end = endOf(socket)
    raw.write(Buffer.concat([times(100, message), ping]))
    await read(raw, (text) => text.includes('\x8a'))
    listen()
    await read(raw, (text) => text.includes('\x88'))
    raw.write(closeFrame)
    await end
    expect(faults).toEqual(['listener: broken'])
    expect(heard).toEqual(['message', 'close'])
  })

  test('an invalid frame is one fault, and what follows it is not delivered', async () => {
    const heard: string[] = []
    const { raw, faults, socket } = await faulty(noting(heard, () => {}))
    const end = endOf(socket)
    raw.write(Buffer.concat([message, times(1_000, unmasked), times(100, message)]))
    await end
    expect(faults).toHaveLength(1)
    expect(faults[0]).toMatch(/^protocol: /)
    expect(heard).toEqual(['message', 'close'])
  })

  test('an invalid frame after a listener that throws is not a second one', async () => {
    const { raw, faults, socket } = await faulty(noting([], fail))
    const end = endOf(socket)
    raw.write(Buffer.concat([message, unmasked]))
    await end
    expect(faults).toEqual(['listener: broken'])
  })

  test('listeners for the end that throw and reject after it are not a second one', async () => {
    const { raw, faults, socket } = await faulty((socket) => {
      socket.on('message', fail)
      socket.on('close', reject)
      socket.on('close', fail)
    })
    const end = endOf(socket)
    raw.write(Buffer.concat([message, closeFrame]))
    await end
    await new Promise(setImmediate)
    expect(faults).toEqual(['listener: broken'])
  })
})
