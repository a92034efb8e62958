import { once } from 'node:events'
import type http from 'node:http'
import { type Server, ServerResponse } from 'node:http'
import http2 from 'node:http2'
import type { AddressInfo } from 'node:net'
import { Writable } from 'node:stream'
import type { WebSocket } from 'ws'
import { agree } from '../src/adapter.ts'
import { acceptWebSocket, attach } from '../src/index.ts'
import { parse, readThrough } from '../src/life/reading.ts'
import { open, read, serve, stopAll } from './server.ts'

afterEach(stopAll)

const handshake = (path = '/', fields = '') =>
  `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
  `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${fields}\r\n`

test('effectiveRequest may throw for a handshake pipelined behind an unfinished response', async () => {
  const faults: unknown[] = []
  let finish = (): void => {}
  const { target, attachment } = await serve(
    (req, res) => {
      if (req.url === '/slow') finish = () => res.end('slow')
      else void acceptWebSocket(req, res, () => {})
    },
    {
      onError: (error) => faults.push(error),
      effectiveRequest: () => {
        throw new Error('no such field')
      }
    }
  )
  const raw = await open(target)
  const answers = read(raw)
  raw.write(`GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n${handshake()}`)
  while (attachment.stats().pending === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  finish()
  expect(await answers).toMatch(/slowHTTP\/1.1 500 /)
  expect(faults).toHaveLength(1)
})

test.each<
  [
    name: string,
    accept: (req: http.IncomingMessage, res: http.ServerResponse, hi: (socket: WebSocket) => void) => unknown
  ]
>([
  [
    'by the application',
    (req, res, hi) => {
      res.cork()
      return acceptWebSocket(req, res, hi)
    }
  ],
  [
    'by Node, before an implicit head',
    (req, res, hi) => {
      agree(req, undefined, hi)
      res.statusCode = 101
      res.end()
    }
  ],
  [
    'by Node, before an implicit head with a text',
    (req, res, hi) => {
      agree(req, undefined, hi)
      res.statusCode = 101
      res.setHeader('Content-Length', 19)
      res.end('Switching Protocols')
    }
  ],
  [
    'by Node, before a write',
    (req, res, hi) => {
      agree(req, undefined, hi)
      res.statusCode = 101
      res.write('Switching')
      res.end(' Protocols')
    }
  ]
])('the 101 of a response that was corked %s is sent', async (_name, accept) => {
  const { target } = await serve((req, res) => accept(req, res, (socket) => socket.send('hi')))
  const raw = await open(target)
  const answer = read(raw, (text) => text.endsWith('hi'))
  raw.write(handshake())
  expect(await answer).toMatch(/^HTTP\/1.1 101 /)
})

test('header fields of an answer stay if Node has rejected an earlier one', async () => {
  const { target } = await serve((_req, res) => {
    expect(() => res.writeHead(9999)).toThrow('Invalid status code')
    res.writeHead(403, { 'X-Reason': 'a', 'Content-Length': 2 }).end('no')
  })
  const raw = await open(target)
  const answer = read(raw)
  raw.write(handshake())
  expect(await answer).toMatch(/^HTTP\/1.1 403 [\s\S]*X-Reason: a\r\nContent-Length: 2\r\n/)
})

test('HTTP/2: an application that answers on the stream itself survives the deadline of the handshake', async () => {
  const listener = (_req: http2.Http2ServerRequest, res: http2.Http2ServerResponse): void => {
    res.stream.respond({ ':status': 200 })
    res.stream.write('begun')
  }
  const server = http2.createServer(listener)
  const attachment = attach(server, listener, { handshakeTimeoutMs: 20, onRefused: () => {} })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const client = http2.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  await once(client, 'remoteSettings')
  const stream = client.request(
    { ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/', ':scheme': 'http', ':authority': 'localhost' },
    { endStream: false }
  )
  stream.on('error', () => {}).resume()
  await once(stream, 'close')
  expect(attachment.stats().pending).toBe(0)
  client.destroy()
  await once((server as unknown as Server).close(), 'close')
})

test('nothing after a failed frame is parsed, although it waits with it behind a compressed message', () => {
  const seen: string[] = []
  let finishFirst = (): void => {}
  class Parser extends Writable {
    override _write(chunk: Buffer, _encoding: string, done: (error?: Error) => void): void {
      seen.push(String(chunk))
      if (seen.length === 1) finishFirst = done
      else done(new Error('malformed'))
    }
  }
  const parser = new Parser()
  readThrough(parser, { read: (chunk) => parse(parser, chunk), finish: () => {}, fail: () => {} })
  parser.on('error', () => {})
  for (const chunk of ['compressed', 'malformed', 'compressed too']) parser.write(Buffer.from(chunk))
  finishFirst()
  expect(seen).toEqual(['compressed', 'malformed'])
})

test('an application that gives the raw socket another response does not end the process at the deadline', async () => {
  const { target, attachment } = await serve(
    (req, res) => {
      res.detachSocket(req.socket)
      new ServerResponse(req).assignSocket(req.socket)
    },
    { handshakeTimeoutMs: 50, onRefused: () => {} }
  )
  const raw = await open(target)
  raw.write(handshake())
  expect(await read(raw)).toBe('')
  while (attachment.stats().pending > 0) await new Promise(setImmediate)
  expect(attachment.stats().refused).toEqual({ HANDSHAKE_TIMEOUT: 1 })
})
