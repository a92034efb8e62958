import assert from 'node:assert/strict'
import { closed } from '../parts/ws-client.ts'
import type { Check } from './check.ts'

const flood = 10_000

/** Everything else that holds for every version of HTTP. */
export const serving: readonly Check[] = [
  [
    'echoes each of 10,000 one-byte messages',
    async ({ client }) => {
      const { socket, next } = await client.connect('/chat')
      for (let count = 0; count < flood; count++) socket.send(String(count % 10))
      for (let count = 0; count < flood; count++) assert.equal(await next(), String(count % 10))
    }
  ],

  [
    'keeps 10,000 one-byte messages for a handler that listens late, in order',
    async ({ client, gate }) => {
      const { socket, next } = await client.connect('/listens-late')
      for (let count = 0; count < flood; count++) socket.send(String(count % 10))
      await gate.arrived
      gate.open()
      for (let count = 0; count < flood; count++) assert.equal(await next(), String(count % 10))
    }
  ],

  [
    'closes the connections with 1001 when it is closed, and finishes',
    async ({ client, close }) => {
      const { socket } = await client.connect('/chat')
      const end = closed(socket)
      await close()
      assert.equal((await end).code, 1001)
    }
  ],

  [
    'serves ordinary requests as before',
    async ({ client }) => {
      const { status, fields, body } = await client.get('/plain')
      assert.deepEqual(
        [status, fields.get('x-request-id'), fields.get('x-late'), body],
        [200, ['42'], ['as it is sent'], 'plain']
      )
    }
  ]
]
