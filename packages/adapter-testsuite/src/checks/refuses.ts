import assert from 'node:assert/strict'
import { answerTo, type SentFields } from '../client/client.ts'
import { type Check, each, prefixed } from './check.ts'

const refusals: [what: string, fields: SentFields, code: string][] = [
  ['version 12', { 'Sec-WebSocket-Version': '12' }, 'HANDSHAKE_VERSION'],
  ['version 013', { 'Sec-WebSocket-Version': '013' }, 'HANDSHAKE_VERSION'],
  ['version 13.0', { 'Sec-WebSocket-Version': '13.0' }, 'HANDSHAKE_VERSION'],
  ['version 8, which ws would accept', { 'Sec-WebSocket-Version': '8' }, 'HANDSHAKE_VERSION'],
  ['two versions', { 'Sec-WebSocket-Version': ['13', '13'] }, 'HANDSHAKE_VERSION'],
  ['no version', { 'Sec-WebSocket-Version': undefined }, 'HANDSHAKE_VERSION'],
  ['a foreign origin', { Origin: 'https://evil.example' }, 'HANDSHAKE_ORIGIN'],
  ['the origin null', { Origin: 'null' }, 'HANDSHAKE_ORIGIN'],
  ['two origins', { Origin: ['http://app.example', 'http://app.example'] }, 'HANDSHAKE_ORIGIN'],
  ['malformed subprotocols', { 'Sec-WebSocket-Protocol': 'chat, super chat' }, 'HANDSHAKE_SUBPROTOCOL'],
  ['malformed extensions', { 'Sec-WebSocket-Extensions': 'x; y=;' }, 'HANDSHAKE_EXTENSION']
]

/** Handshakes that do not open a WebSocket, for every version of HTTP. */
export const refusing: readonly Check[] = prefixed('refuses', [
  ...each(refusals, (what, sent, code) => [
    `${what} with a complete response`,
    async ({ client, refusals }) => {
      const { status, fields, body } = await answerTo(client, '/chat', sent)
      assert.deepEqual(refusals, [code])
      // A 426 needs an Upgrade field (RFC 9110 §15.5.22), which HTTP/2 does not have.
      const version = client.version === 'HTTP/2' ? 400 : 426
      assert.equal(status, code === 'HANDSHAKE_VERSION' ? version : code === 'HANDSHAKE_ORIGIN' ? 403 : 400)
      assert.deepEqual(fields.get('sec-websocket-version'), code === 'HANDSHAKE_VERSION' ? ['13'] : undefined)
      assert.deepEqual(fields.get('x-request-id'), ['42'])
      assert.deepEqual(fields.get('x-late'), ['as it is sent'])
      assert.equal(Buffer.byteLength(body, 'latin1'), Number(fields.get('content-length')))
    }
  ]),

  [
    'a handshake without a common subprotocol where one is required',
    async ({ client }) => {
      assert.equal((await answerTo(client, '/strict', { 'Sec-WebSocket-Protocol': 'other' })).status, 400)
      const exchange = await client.send('/strict', { 'Sec-WebSocket-Protocol': 'chat' })
      const { status, fields } = await exchange.head()
      assert.deepEqual([status, fields.get('sec-websocket-protocol')], [client.accepted, ['chat']])
    }
  ],

  [
    "a handshake that middleware refuses, with the framework's own answer",
    async ({ client }) => {
      const { status, fields, body } = await answerTo(client, '/guarded')
      assert.equal(status, 401)
      assert.match(body, /Log in first/)
      assert.deepEqual(fields.get('x-request-id'), ['42'])
      assert.deepEqual(fields.get('x-late'), ['as it is sent'])
    }
  ],

  [
    'a handshake whose middleware throws',
    async ({ client }) => {
      assert.equal((await answerTo(client, '/throws')).status, 500)
    }
  ],

  [
    "a handshake at an unknown path, with the application's 404",
    async ({ client }) => {
      assert.equal((await answerTo(client, '/unknown')).status, 404)
    }
  ],

  [
    'a handshake that is still waiting when draining begins',
    async ({ client, gate, refusals, drain }) => {
      const exchange = await client.send('/gate')
      await gate.arrived
      await drain()
      gate.open()
      const { status, fields } = await exchange.head()
      assert.equal(status, 503)
      assert.match(String(fields.get('retry-after')), /^\d+$/)
      assert.deepEqual(refusals, ['HANDSHAKE_UNAVAILABLE'])
    }
  ]
])
