import { once } from 'node:events'
import { closed, connectClient, handshake, sendRaw } from '@oneport/test-kit'
import type { WebSocket } from 'ws'
import { type AttachOptions, acceptWebSocket, checkHandshake, type HandshakeError } from '../src/index.ts'
import { acceptThrough, open, read, serve, stopAll } from './server.ts'

afterEach(stopAll)

function collect(options: AttachOptions = {}) {
  const codes: string[] = []
  return { codes, options: { ...options, onRefused: (error: HandshakeError) => void codes.push(error.code) } }
}

describe('regression: a handshake was counted twice; now it is counted once', () => {
  test('if the application accepts after its deadline', async () => {
    const { codes, options } = collect({ handshakeTimeoutMs: 30, onError: () => {} })
    let late: Promise<unknown> | undefined
    const { target, attachment } = await serve((req, res) => {
      late = once(res, 'close').then(() => acceptWebSocket(req, res, () => {}))
    }, options)
    expect((await sendRaw(target, handshake('/'))).status).toBe(503)
    await late
    expect(codes).toEqual(['HANDSHAKE_TIMEOUT'])
    expect(attachment.stats()).toMatchObject({ refused: { HANDSHAKE_TIMEOUT: 1 }, accepted: 0, pending: 0 })
  })

  test('if the application checks, and then accepts', async () => {
    const { codes, options } = collect({ allowedOrigins: [] })
    const { target, attachment } = await serve(async (req, res) => {
      expect(() => checkHandshake(req)).toThrow('is not allowed here')
      expect(() => checkHandshake(req)).toThrow('is not allowed here')
      await acceptWebSocket(req, res, () => {})
    }, options)
    const answer = await sendRaw(target, handshake('/', { Origin: 'https://other.example' }))
    expect(answer.status).toBe(403)
    expect(codes).toEqual(['HANDSHAKE_ORIGIN'])
    expect(attachment.stats().refused).toEqual({ HANDSHAKE_ORIGIN: 1 })
  })

  test('if the client leaves, and the application accepts after that', async () => {
    const { codes, options } = collect()
    let late: Promise<unknown> | undefined
    const { target, attachment } = await serve((req, res) => {
      late = once(res, 'close').then(() => acceptWebSocket(req, res, () => {}))
    }, options)
    const raw = await open(target)
    raw.write(handshake('/'))
    while (late === undefined) await new Promise(setImmediate)
    raw.resetAndDestroy()
    await late
    expect(codes).toEqual(['HANDSHAKE_ABORTED'])
    expect(attachment.stats()).toMatchObject({ refused: { HANDSHAKE_ABORTED: 1 }, accepted: 0, pending: 0 })
  })

  test('if the client leaves after it was accepted, and before the framework has sent the 101', async () => {
    const { codes, options } = collect()
    let accepted: Promise<boolean> | undefined
    const { target, attachment } = await serve((req) => {
      accepted = acceptThrough(
        () => {},
        req,
        undefined,
        () => {}
      )
    }, options)
    const raw = await open(target)
    raw.write(handshake('/'))
    while (accepted === undefined) await new Promise(setImmediate)
    raw.resetAndDestroy()
    expect(await accepted).toBe(false)
    expect(codes).toEqual(['HANDSHAKE_ABORTED'])
    expect(attachment.stats()).toMatchObject({ refused: { HANDSHAKE_ABORTED: 1 }, accepted: 0, pending: 0 })
  })

  test('if a refusal is answered, and its client then reads nothing', async () => {
    const { codes, options } = collect({ allowedOrigins: [], handshakeTimeoutMs: 30 })
    const { target, attachment } = await serve(async (req, res) => {
      expect(() => checkHandshake(req)).toThrow()
      res.writeHead(403).end(Buffer.alloc(32 * 1024 * 1024))
    }, options)
    const raw = await open(target)
    raw.pause()
    raw.write(handshake('/', { Origin: 'https://other.example' }))
    while (codes.length === 0 || attachment.stats().pending > 0) await new Promise(setImmediate)
    expect(codes).toEqual(['HANDSHAKE_ORIGIN'])
    expect(attachment.stats().refused).toEqual({ HANDSHAKE_ORIGIN: 1 })
  })
})

describe('regression: revoke() missed a handshake in progress; now one that was accepted and has no 101 yet', () => {
  /** A server that accepts with the key `a`, and sends the 101 when told to. */
  async function sendingLater() {
    const delivered: string[] = []
    let send = (): void => {}
    const { target, attachment } = await serve((req, res) => {
      if (req.url === '/') {
        return acceptWebSocket(req, res, { key: 'a' }, (socket) => socket.on('message', () => delivered.push('open')))
      }
      const later = () => {
        send = () => res.writeHead(101).end()
      }
      const handler = (socket: WebSocket) => socket.on('message', () => delivered.push('coming'))
      return acceptThrough(later, req, { key: 'a' }, handler)
    })
    const raw = await open(target)
    raw.write(handshake('/later'))
    while (attachment.stats().pending === 0) await new Promise(setImmediate)
    return { target, attachment, raw, delivered, send: () => send() }
  }

  test('is closed as soon as it is open, and receives nothing', async () => {
    const { attachment, raw, delivered, send } = await sendingLater()
    expect(attachment.revoke('a')).toBe(1)
    expect(attachment.stats().open).toBe(0)
    raw.write(Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0x61]))
    send()
    expect(await read(raw, (text) => text.includes('\x88'))).toMatch(/^HTTP\/1\.1 101 .*credential revoked$/s)
    raw.write(Buffer.from([0x88, 0x80, 0, 0, 0, 0]))
    await once(raw, 'close')
    while (attachment.stats().open > 0) await new Promise(setImmediate)
    expect(delivered).toEqual([])
    expect(attachment.stats()).toMatchObject({ accepted: 1, open: 0 })
    expect(attachment.connectionsOf('a').size).toBe(0)
  })

  test('is counted with the open ones, and closed with the given code and reason', async () => {
    const { target, attachment, raw, send } = await sendingLater()
    const { socket } = await connectClient(target, '/')
    const end = closed(socket)
    expect(attachment.revoke('b')).toBe(0)
    expect(attachment.revoke('a', 4409, 'elsewhere')).toBe(2)
    expect(await end).toEqual({ code: 4409, reason: 'elsewhere' })
    send()
    expect((await read(raw, (text) => text.includes('\x88'))).endsWith('\x88\x0b\x11\x39elsewhere')).toBe(true)
  })

  test('is not a connection if its client leaves before', async () => {
    const { attachment, raw } = await sendingLater()
    expect(attachment.revoke('a')).toBe(1)
    raw.resetAndDestroy()
    while (attachment.stats().pending > 0) await new Promise(setImmediate)
    expect(attachment.stats()).toMatchObject({ accepted: 0, open: 0 })
    expect(attachment.revoke('a')).toBe(0)
  })
})
