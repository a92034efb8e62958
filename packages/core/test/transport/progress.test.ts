import { once } from 'node:events'
import http from 'node:http'
import https from 'node:https'
import type { Socket } from 'node:net'
import { certificate, handshake, headArrived, sendRaw } from '@oneport/test-kit'
import { acceptWebSocket, type Dispatch } from '../../src/index.ts'
import { until } from '../recorded.ts'
import { open, read, type Served, serve, stopAll } from '../server.ts'

afterEach(stopAll)

/** More than the buffers of both sides hold. */
const body = Buffer.alloc(32 * 1024 * 1024, 'x')
const pieces = 512

const answers: [name: string, answer: Dispatch][] = [
  ['one write', (_req, res) => res.writeHead(403, { 'Content-Length': body.length }).end(body)],
  [
    'many writes',
    (_req, res) => {
      res.writeHead(403, { 'Content-Length': body.length })
      const piece = body.subarray(0, body.length / pieces)
      for (let count = 0; count < pieces; count++) res.write(piece)
      res.end()
    }
  ],
  [
    'one write after the other',
    async (_req, res) => {
      res.writeHead(403, { 'Content-Length': body.length })
      const piece = body.subarray(0, body.length / pieces)
      for (let count = 0; count < pieces && !res.destroyed; count++) {
        await new Promise((written) => res.write(piece, written))
      }
      res.end()
    }
  ]
]

/** The operating system buffers megabytes at a time, so a period has to be long enough for that much. */
const periodMs = 400

async function start(tls: boolean, answer: Dispatch): Promise<Served> {
  const listener: Dispatch = (req, res) =>
    req.url === '/chat' ? acceptWebSocket(req, res, () => {}) : answer(req, res)
  const options = { handshakeTimeoutMs: periodMs, maxPendingHandshakes: 1, onRefused: () => {} }
  return serve(listener, options, tls ? https.createServer(await certificate()) : http.createServer())
}

/** Reads some, waits a little, and so on until the end. @returns the number of bytes */
async function readSlowly(raw: Socket, share: number): Promise<number> {
  let count = 0
  let next = share
  raw.on('data', (chunk: Buffer) => {
    count += chunk.length
    if (count < next) return
    next += share
    raw.pause()
    setTimeout(() => raw.resume(), periodMs / 4)
  })
  await once(raw, 'close')
  return count
}

describe.each([
  ['over TCP', false],
  ['over TLS', true]
])('%s', (_name, tls) => {
  describe.each(answers)('a large answer in %s', (_how, answer) => {
    test('arrives complete at a client that reads slowly, for many times handshakeTimeoutMs, and takes no place', async () => {
      const { target, attachment } = await start(tls, answer)
      const raw = await open(target)
      raw.write(handshake('/'))
      await once(raw, 'readable')
      // This handshake is not waiting for the application.
      expect(attachment.stats().pending).toBe(1)
      expect((await sendRaw(target, handshake('/chat'), headArrived)).status).toBe(101)
      expect(await readSlowly(raw, body.length / 20)).toBeGreaterThan(body.length)
    }, 20_000)

    test('is cut if its client reads a few bytes in each period', async () => {
      const { target, attachment } = await start(tls, answer)
      const raw = await open(target)
      raw.write(handshake('/'))
      await once(raw, 'readable')
      const reading = setInterval(() => raw.read(5), periodMs / 4)
      await until(() => attachment.stats().pending === 0)
      clearInterval(reading)
      expect((await read(raw)).length).toBeLessThan(body.length)
    }, 20_000)
  })
})
