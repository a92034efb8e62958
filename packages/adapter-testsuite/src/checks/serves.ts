import assert from 'node:assert/strict'
import { closed } from '../parts/ws-client.ts'
import type { Check } from './check.ts'

const flood = 10_000

/** The rest of what is the same on every version of HTTP. */
export const serving: readonly Check[] = [
  [
    'sends back each of 10,000 messages of one byte',
    async ({ client }) => {
      const { socket, next } = await client.connect('/chat')
      for (let count = 0; count < flood; count++) socket.send(String(count % 10))
      for (let count = 0; count < flood; count++) assert.equal(await next(), String(count % 10))
    }
  ],

  [
    'keeps 10,000 messages of one byte for a handler that listens late, in order',
    async ({ client, gate }) => {
      const { socket, next } = await client.connect('/listens-late')
      for (let count = 0; count < flood; count++) socket.send(String(count % 10))
      await gate.arrived
      gate.open()
      for (let count = 0; count < flood; count++) assert.equal(await next(), String(count % 10))
    }
  ],

  [
    'ends the connections with 1001 when it is closed, and finishes',
    async ({ client, close }) => {
      const { socket } = await client.connect('/chat')
      const end = closed(socket)
      await close()
      assert.equal((await end).code, 1001)
    }
  ],

  [
    'serves HTTP as before beside it',
    async ({ client }) => {
      const { status, fields, body } = await client.get('/plain')
      assert.deepEqual(
        [status, fields.get('x-request-id'), fields.get('x-late'), body],
        [200, ['42'], ['as it is sent'], 'plain']
      )
    }
  ]
]
