import { once } from 'node:events'
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2'
import { applications } from './application.ts'
import { lookFor } from './installed.ts'
import { haproxy } from './kinds.ts'
import { startApp, startProxy } from './stage.ts'
import { hostAt, originAt } from './visitor.ts'

// Starting a proxy takes long on a busy machine.
jest.setTimeout(30_000)

const { hint, isInstalled } = lookFor('haproxy', 'haproxy')
const describeEach = isInstalled ? describe.each : describe.skip.each

/** A client text frame (RFC 6455 §5.2), masked with zeros. */
const textFrame = (text: string): Buffer =>
  Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)])

async function read(stream: ClientHttp2Stream, text: string): Promise<void> {
  let came = ''
  stream.on('data', (chunk: Buffer) => {
    came += chunk.toString('latin1')
  })
  while (!came.includes(text)) await once(stream, 'data')
}

describeEach(applications)(`HAProxy in front of %s${hint}`, (_framework, start) => {
  let session: ClientHttp2Session | undefined

  afterEach(() => session?.destroy())

  test('accepts WebSockets over HTTP/2 (RFC 8441) and forwards them over HTTP/1.1', async () => {
    const { tls } = await startProxy(haproxy, (await startApp(start)).port)
    session = connect(`https://127.0.0.1:${tls.port}`, { rejectUnauthorized: false })
    const [settings] = await once(session, 'remoteSettings')
    expect([session.alpnProtocol, settings.enableConnectProtocol]).toEqual(['h2', true])
    const open = async (origin: string): Promise<[ClientHttp2Stream, number]> => {
      const stream = (session as ClientHttp2Session).request({
        ':method': 'CONNECT',
        ':protocol': 'websocket',
        ':scheme': 'https',
        ':authority': hostAt(tls),
        ':path': '/chat',
        'sec-websocket-version': '13',
        origin
      })
      const [headers] = await once(stream, 'response')
      return [stream, headers[':status']]
    }
    const [stream, status] = await open(originAt(tls))
    expect(status).toBe(200)
    stream.write(textFrame('hello'))
    await read(stream, '\x81\x05hello')
    const [refused, refusal] = await open('https://evil.example')
    expect(refusal).toBe(403)
    refused.destroy()
  })
})
