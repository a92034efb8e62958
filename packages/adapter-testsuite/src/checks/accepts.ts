import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { WebSocket } from '@oneport/core'
import { maskedText, serverText } from '../parts/frames.ts'
import { closed } from '../parts/ws-client.ts'
import { type Check, each, prefixed } from './check.ts'

/** Checks that pings are answered and the closing handshake completes. */
async function pingAndClose(socket: WebSocket): Promise<void> {
  const pong = once(socket, 'pong')
  socket.ping()
  await pong
  const end = closed(socket)
  socket.close(4001)
  assert.equal((await end).code, 4001)
}

/** Handshakes that open a WebSocket, for every version of HTTP. */
export const accepting: readonly Check[] = prefixed('accepts', [
  [
    'messages in both directions',
    async ({ client }) => {
      const { socket, next } = await client.connect('/chat')
      socket.send('hello')
      assert.equal(await next(), 'hello')
    }
  ],

  [
    'its own origin',
    async ({ client, target }) => {
      const exchange = await client.send('/chat', { Origin: `${target.tls ? 'https' : 'http'}://app.example` })
      assert.equal((await exchange.head()).status, client.accepted)
    }
  ],

  [
    'a handshake without Origin, which clients other than browsers send',
    async ({ client }) => {
      const exchange = await client.send('/chat')
      assert.equal((await exchange.head()).status, client.accepted)
    }
  ],

  ...each(
    [
      ["with the first of the server's subprotocols that the client offers", 'other, chat.v1, chat', ['chat']],
      ['a handshake without a common subprotocol, and names none', 'toString', undefined]
    ] as [string, string, string[] | undefined][],
    (what, offered, chosen) => [
      what,
      async ({ client }) => {
        const exchange = await client.send('/chat', { 'Sec-WebSocket-Protocol': offered })
        const { status, fields } = await exchange.head()
        assert.equal(status, client.accepted)
        assert.deepEqual(fields.get('sec-websocket-protocol'), chosen)
      }
    ]
  ),

  [
    'with the fields that middleware set',
    async ({ client }) => {
      const { fields } = await (await client.send('/chat')).head()
      assert.deepEqual(fields.get('x-request-id'), ['42'])
      assert.deepEqual(fields.get('set-cookie'), ['a=1; Path=/', 'b=2; HttpOnly'])
    }
  ],

  [
    'with the fields that are set after the route, as the response is sent',
    async ({ client }) => {
      const exchange = await client.send('/chat', { 'Sec-WebSocket-Protocol': 'chat' })
      const { status, fields } = await exchange.head()
      assert.deepEqual([status, fields.get('x-late')], [client.accepted, ['as it is sent']])
      assert.deepEqual(fields.get('sec-websocket-protocol'), ['chat'])
    }
  ],

  [
    'without compression by default, and with it if the endpoint enables it',
    async ({ client }) => {
      const offer = { 'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits' }
      const plain = await (await client.send('/chat', offer)).head()
      assert.equal(plain.status, client.accepted)
      assert.equal(plain.fields.has('sec-websocket-extensions'), false)
      const deflated = await (await client.send('/deflate', offer)).head()
      assert.deepEqual(deflated.fields.get('sec-websocket-extensions'), ['permessage-deflate'])
    }
  ],

  [
    'and keeps a frame that was sent together with the handshake',
    async ({ client }) => {
      const exchange = await client.send('/chat', {}, maskedText('early'))
      assert.equal(await exchange.rest((text) => text.endsWith('early')), serverText('early'))
    }
  ],

  [
    'and keeps frames that arrive while middleware waits',
    async ({ client, gate }) => {
      const exchange = await client.send('/gate', {}, maskedText('one'))
      await gate.arrived
      exchange.write(maskedText('two'))
      gate.open()
      assert.equal(await exchange.rest((text) => text.endsWith('two')), serverText('one') + serverText('two'))
    }
  ],

  [
    'and keeps messages for a handler that listens late, in order',
    async ({ client, gate }) => {
      const { socket, next } = await client.connect('/listens-late')
      for (const text of ['one', 'two', 'three']) socket.send(text)
      await gate.arrived
      const pong = once(socket, 'pong')
      socket.ping()
      await pong
      gate.open()
      assert.deepEqual([await next(), await next(), await next()], ['one', 'two', 'three'])
      socket.send('four')
      assert.equal(await next(), 'four')
    }
  ],

  [
    'and keeps large messages for a handler that listens late',
    async ({ client, gate }) => {
      const { socket, next } = await client.connect('/listens-late')
      const texts = [...'abcdef'].map((letter) => letter.repeat(60_000))
      for (const text of texts) socket.send(text)
      await gate.arrived
      gate.open()
      for (const text of texts) assert.equal(await next(), text)
    }
  ],

  [
    'and answers pings and closes cleanly while a handler that only sends is still running',
    async ({ client }) => {
      const { socket, next } = await client.connect('/pushes')
      assert.equal(await next(), 'pushed')
      socket.send('nobody listens')
      await pingAndClose(socket)
    }
  ],

  [
    'and continues to read after a handler that only sent, however much arrives',
    async ({ client, gate }) => {
      const { socket, next } = await client.connect('/pushes')
      assert.equal(await next(), 'pushed')
      const sendMuch = () => {
        for (let count = 0; count < 6; count++) socket.send('x'.repeat(60_000))
      }
      sendMuch()
      gate.open()
      sendMuch()
      await pingAndClose(socket)
    }
  ],

  [
    "and closes with the handler's close code and reason",
    async ({ client }) => {
      const { socket } = await client.connect('/closes')
      assert.deepEqual(await closed(socket), { code: 4001, reason: 'bye' })
    }
  ]
])
