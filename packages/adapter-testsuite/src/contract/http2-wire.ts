import { type ClientHttp2Session, constants } from 'node:http2'
import { openSession, resetSession, sendConnect, webSocketOn } from '../parts/http2-client.ts'
import { converse } from '../parts/ws-client.ts'
import { answerTo } from './client.ts'
import type { Subject } from './subject.ts'

/** What is HTTP/2's own (RFC 8441). */
export function describeHttp2Wire(subject: () => Subject): void {
  const sessions: ClientHttp2Session[] = []

  afterEach(() => {
    for (const session of sessions.splice(0)) session.destroy()
  })

  test('accepts with 200, and with none of the fields of the hop or of the key', async () => {
    const exchange = await subject().client.send('/chat', { 'Sec-WebSocket-Protocol': 'chat' })
    const { status, fields } = await exchange.head()
    expect(status).toBe(200)
    expect(fields.get('sec-websocket-protocol')).toEqual(['chat'])
    for (const name of ['upgrade', 'connection', 'sec-websocket-accept', 'content-length', 'transfer-encoding']) {
      expect(fields.has(name)).toBe(false)
    }
  })

  test('answers a GET at an endpoint with 405 and the method that it takes', async () => {
    const { status, fields, body } = await subject().client.get('/chat')
    expect([status, fields.get('allow')]).toEqual([405, ['CONNECT']])
    expect(body).toContain('WebSocket endpoint')
  })

  // To a CONNECT, a 2xx says that it was accepted (RFC 9110 §9.3.6).
  test('answers a handshake at an ordinary route with 405 and what the application said', async () => {
    const { status, body } = await answerTo(subject().client, '/plain')
    expect(status).toBe(405)
    expect(body).toContain('plain')
  })

  test.each([
    ['an unknown protocol', 501, { ':protocol': 'connect-udp' }],
    ['none, for a tunnel', 405, { ':protocol': undefined, ':scheme': undefined, ':path': undefined }]
  ])('answers a CONNECT for %s with %i', async (_what, status, pseudo) => {
    expect((await answerTo(subject().client, '/chat', pseudo)).status).toBe(status)
  })

  test.each([
    ['its own end', (session) => session.destroy()],
    ['GOAWAY with an error', (session) => session.goaway(constants.NGHTTP2_PROTOCOL_ERROR)],
    ['a TCP reset', resetSession]
  ] satisfies [string, (session: ClientHttp2Session) => unknown][])(
    'a session that is lost by %s: other sessions live on, and nothing is left',
    async (_what, lose) => {
      const { client, faults, gate, running, target } = subject()
      const other = await client.connect('/chat')
      const session = await openSession(target)
      sessions.push(session)
      const { next, socket } = converse(webSocketOn((await sendConnect(session, '/chat')).stream))
      socket.send('hello')
      expect(await next()).toBe('hello')
      const { stream } = await sendConnect(session, '/listens-late')
      await gate.arrived
      lose(session)
      if (!stream.closed) await new Promise((resolve) => stream.once('close', resolve))
      other.socket.send('still here')
      expect(await other.next()).toBe('still here')
      gate.open()
      expect(faults).toEqual([])
      await running.close()
    }
  )
}
