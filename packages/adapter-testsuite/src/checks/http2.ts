import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type ClientHttp2Session, constants } from 'node:http2'
import { answerTo, type SentFields } from '../client/client.ts'
import { resetSession, sendConnect, webSocketOn } from '../parts/http2-client.ts'
import { converse } from '../parts/ws-client.ts'
import { type Check, each } from './check.ts'
import { openOther } from './contains.ts'

const losses: [how: string, lose: (session: ClientHttp2Session) => unknown][] = [
  ['destroy()', (session) => session.destroy()],
  ['GOAWAY with an error', (session) => session.goaway(constants.NGHTTP2_PROTOCOL_ERROR)],
  ['a TCP reset', resetSession]
]

/** What only HTTP/2 has (RFC 8441). */
export const onHttp2: readonly Check[] = [
  [
    'accepts with 200, without hop-by-hop fields and without an accept value',
    async ({ client }) => {
      const exchange = await client.send('/chat', { 'Sec-WebSocket-Protocol': 'chat' })
      const { status, fields } = await exchange.head()
      assert.equal(status, 200)
      assert.deepEqual(fields.get('sec-websocket-protocol'), ['chat'])
      for (const name of ['upgrade', 'connection', 'sec-websocket-accept', 'content-length', 'transfer-encoding']) {
        assert.equal(fields.has(name), false, name)
      }
    }
  ],

  [
    'answers a GET at an endpoint with 405 and the allowed method',
    async ({ client }) => {
      const { status, fields, body } = await client.get('/chat')
      assert.deepEqual([status, fields.get('allow')], [405, ['CONNECT']])
      assert.match(body, /WebSocket endpoint/)
    }
  ],

  // A 2xx to a CONNECT means that it was accepted (RFC 9110 §9.3.6).
  [
    "answers a handshake at an ordinary route with 405 and the application's body",
    async ({ client }) => {
      const { status, body } = await answerTo(client, '/plain')
      assert.equal(status, 405)
      assert.match(body, /plain/)
    }
  ],

  ...each(
    [
      ['an unknown protocol', 501, { ':protocol': 'connect-udp' }],
      [
        'no protocol, which asks for a tunnel',
        405,
        { ':protocol': undefined, ':scheme': undefined, ':path': undefined }
      ]
    ] as [string, number, SentFields][],
    (what, status, pseudo) => [
      `answers a CONNECT for ${what} with ${status}`,
      async ({ client }) => {
        assert.equal((await answerTo(client, '/chat', pseudo)).status, status)
      }
    ]
  ),

  ...each(losses, (how, lose) => [
    `contains the loss of a session by ${how}: other sessions stay open, and nothing leaks`,
    async (fixture) => {
      const { faults, gate, close, openSession } = fixture
      const isOpen = await openOther(fixture)
      const session = await openSession()
      const { next, socket } = converse(webSocketOn((await sendConnect(session, '/chat')).stream))
      socket.send('hello')
      assert.equal(await next(), 'hello')
      const { stream } = await sendConnect(session, '/listens-late')
      await gate.arrived
      lose(session)
      if (!stream.closed) await once(stream, 'close')
      await isOpen()
      gate.open()
      assert.deepEqual(faults, [])
      await close()
    }
  ])
]
