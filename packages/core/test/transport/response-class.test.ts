import http, { IncomingMessage, ServerResponse } from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import { certificate, connectClient, handshake, sendRaw } from '@oneport/test-kit'
import { acceptWebSocket, type Dispatch } from '../../src/index.ts'
import { open, read, serve, stopAll } from '../server.ts'

afterEach(stopAll)

class OwnResponse<Request extends IncomingMessage = IncomingMessage> extends ServerResponse<Request> {
  greet(): void {
    this.setHeader('X-Greeting', 'hello')
  }
}
class OwnRequest extends IncomingMessage {}

const classes = { ServerResponse: OwnResponse, IncomingMessage: OwnRequest }

const servers: [name: string, create: () => Promise<http.Server>][] = [
  ['http', async () => http.createServer(classes)],
  ['https', async () => https.createServer({ ...(await certificate()), ...classes })],
  [
    'http2 with allowHTTP1',
    async () =>
      http2.createSecureServer({
        ...(await certificate()),
        allowHTTP1: true,
        Http1ServerResponse: OwnResponse,
        Http1IncomingMessage: OwnRequest
      } as object) as unknown as http.Server
  ]
]

describe.each(servers)('regression: a handshake had a plain response; a server of %s', (_name, create) => {
  const greeting: Dispatch = (req, res) => {
    expect(res).toBeInstanceOf(OwnResponse)
    expect(req).toBeInstanceOf(OwnRequest)
    ;(res as OwnResponse).greet()
    if (req.url === '/no') return res.writeHead(403).end('no')
    return acceptWebSocket(req, res, (socket) => socket.on('message', (data) => socket.send(String(data))))
  }

  test('gives an accepted handshake a response of its own class', async () => {
    const { target } = await serve(greeting, undefined, await create())
    const { socket, next, response } = await connectClient(target, '/')
    expect(response.headers['x-greeting']).toBe('hello')
    socket.send('a')
    expect(await next()).toBe('a')
    socket.terminate()
  })

  test('gives a refused handshake one too', async () => {
    const { target } = await serve(greeting, undefined, await create())
    const { status, fields } = await sendRaw(target, handshake('/no'))
    expect([status, fields.get('x-greeting')]).toEqual([403, ['hello']])
  })

  test('emits each connection once, although a request for another protocol is parsed again', async () => {
    const server = await create()
    const events: string[] = []
    for (const event of ['connection', 'secureConnection']) server.on(event, () => events.push(event))
    const requests: string[] = []
    const { target } = await serve(
      (req, res) => {
        requests.push(`${req.method} ${req.url} ${req.headers.upgrade}`)
        res.end('ordinary')
      },
      undefined,
      server
    )
    const raw = await open(target)
    while (events.length < (target.tls ? 2 : 1)) await new Promise(setImmediate)
    const before = [...events]
    for (const path of ['/a', '/b']) {
      raw.write(handshake(path, { Upgrade: 'h2c', 'Sec-WebSocket-Key': undefined, 'Sec-WebSocket-Version': undefined }))
      expect(await read(raw, (text) => text.endsWith('ordinary'))).toMatch(/^HTTP\/1\.1 200 OK/)
    }
    expect(requests).toEqual(['GET /a undefined', 'GET /b undefined'])
    expect(events).toEqual(before)
  })
})
