import type { AttachOptions } from '@oneport/core'
import type { FastifyInstance } from 'fastify'
import { warn } from './warn.ts'

/** The defaults of `@fastify/websocket`, and the risk of each. */
const defaults: { [Name in keyof AttachOptions]: [value: AttachOptions[Name], cost: string] } = {
  allowedOrigins: ['any', 'every web page may connect with the cookies of its visitors'],
  subprotocols: [([first]) => first, 'the first subprotocol that a client offers is sent back, even if it is a token'],
  maxPayloadBytes: [104_857_600, 'messages may have 100 MiB'],
  maxBufferedBytes: [Infinity, 'a client that does not read can fill the memory'],
  closeTimeoutMs: [30_000, 'a closing handshake may take 30 s'],
  heartbeat: [false, 'dead connections are not detected'],
  handshakeTimeoutMs: [Infinity, 'a handshake may wait forever'],
  maxPendingHandshakes: [Infinity, 'any number of handshakes may wait'],
  maxConnections: [Infinity, 'any number of connections may be open']
}

/** Differences that no option changes. */
const always = ['every GET route answers handshakes with 101', 'onSend hooks do not see the 101']

/** Fills in the defaults of `@fastify/websocket`, and logs their risks once. */
export function withDefaults(app: FastifyInstance, options: AttachOptions): AttachOptions {
  const unset = Object.entries(defaults).filter(([name]) => options[name as keyof AttachOptions] === undefined)
  const costs = unset.map(([name, [, cost]]) => `${cost} (${name})`)
  warn(
    app,
    `@oneport/fastify/fastify-websocket behaves like @fastify/websocket: ${[...always, ...costs].join('; ')}. ` +
      'To change one of these, set the option in parentheses.'
  )
  return { ...options, ...Object.fromEntries(unset.map(([name, [value]]) => [name, value])) }
}
