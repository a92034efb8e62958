import type { AttachOptions } from '@oneport/core'
import type { FastifyInstance } from 'fastify'
import { warn } from './warn.ts'

/** What `@fastify/websocket` does where nothing is set, and what each of it costs. */
const defaults: { [Name in keyof AttachOptions]: [value: AttachOptions[Name], cost: string] } = {
  allowedOrigins: ['any', 'every web page may connect with the cookies of its visitors'],
  subprotocols: [([first]) => first, 'the first subprotocol of the client is answered, be it a token'],
  maxPayloadBytes: [104_857_600, 'messages may have 100 MiB'],
  maxBufferedBytes: [Infinity, 'a client that does not read may fill the memory'],
  closeTimeoutMs: [30_000, 'a closing handshake may take 30 s'],
  heartbeat: [false, 'clients that are gone are not noticed'],
  handshakeTimeoutMs: [Infinity, 'a handshake may wait for ever'],
  maxPendingHandshakes: [Infinity, 'any number of handshakes may wait'],
  maxConnections: [Infinity, 'any number of connections may be open']
}

/** What no option changes. */
const always = ['every GET route answers handshakes with 101', 'onSend hooks do not see the 101']

/** The options with what `@fastify/websocket` does where they set nothing; the log gets the price, once. */
export function withDefaults(app: FastifyInstance, options: AttachOptions): AttachOptions {
  const unset = Object.entries(defaults).filter(([name]) => options[name as keyof AttachOptions] === undefined)
  const costs = unset.map(([name, [, cost]]) => `${cost} (${name})`)
  warn(
    app,
    `@oneport/fastify/fastify-websocket does as @fastify/websocket does: ${[...always, ...costs].join('; ')}. ` +
      'Each that has a name is left by setting that option.'
  )
  return { ...options, ...Object.fromEntries(unset.map(([name, [value]]) => [name, value])) }
}
