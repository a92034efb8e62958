import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { isIPv6 } from 'node:net'
import type { PerMessageDeflateOptions, WebSocket } from '@oneport/core'
import * as ws from 'ws'
import type { Target } from './raw-client.ts'

/** Options for the `ws` client. */
export interface ClientOptions {
  /** Header fields of the handshake. */
  headers?: Record<string, string> | undefined
  /** The field `Origin`. */
  origin?: string | undefined
  /** The field `Sec-WebSocket-Version`. */
  protocolVersion?: number | undefined
  /** Whether to offer permessage-deflate, or its parameters. */
  perMessageDeflate?: boolean | PerMessageDeflateOptions | undefined
}

/** A `ws` client that keeps messages until they are asked for. */
export interface Conversation {
  /** The client of `ws`. */
  readonly socket: WebSocket
  /** The next message, in order, as text. */
  next(): Promise<string>
}

/** A conversation over HTTP/1.1. */
export interface Inbox extends Conversation {
  /** The response that opened the connection. */
  readonly response: IncomingMessage
}

/** Connects. Rejects with the response if the handshake is refused. */
export async function connectClient(
  { port, host = '127.0.0.1', tls = false }: Target,
  path: string,
  subprotocols: string[] = [],
  options: ClientOptions = {}
): Promise<Inbox> {
  const url = `${tls ? 'wss' : 'ws'}://${isIPv6(host) ? `[${host}]` : host}:${port}${path}`
  const socket = new ws.WebSocket(url, subprotocols, {
    perMessageDeflate: false,
    rejectUnauthorized: false,
    ...options
  })
  const conversation = converse(socket)
  const upgraded = once(socket, 'upgrade')
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
    socket.once('unexpected-response', (_request, response) => reject(response))
  })
  socket.on('error', () => {})
  const [response] = (await upgraded) as [IncomingMessage]
  return { ...conversation, response }
}

/** Keeps the messages of a socket until they are asked for. */
export function converse(socket: WebSocket): Conversation {
  const arrived: string[] = []
  const waiting: ((message: string) => void)[] = []
  socket.on('message', (data) => {
    const take = waiting.shift()
    if (take === undefined) arrived.push(String(data))
    else take(String(data))
  })
  return {
    socket,
    next: () =>
      new Promise((resolve) => {
        const message = arrived.shift()
        if (message === undefined) waiting.push(resolve)
        else resolve(message)
      })
  }
}

/** Waits for a connection to close. Resolves to its close code and reason. */
export async function closed(socket: WebSocket): Promise<{
  /** The close code. */
  code: number
  /** The close reason. */
  reason: string
}> {
  const [code, reason] = (await once(socket, 'close')) as [number, Buffer]
  return { code, reason: String(reason) }
}

/** The status of a refused handshake. Throws if it is accepted. */
export async function refused(connecting: Promise<unknown>): Promise<number> {
  try {
    await connecting
  } catch (response) {
    ;(response as IncomingMessage).resume()
    return (response as IncomingMessage).statusCode ?? 0
  }
  throw new Error('Expected the handshake to be refused, but it was accepted.')
}

/** The accept value for the key that `handshake()` sends (RFC 6455 §4.2.2 (5)(4)). */
export const accepted = 'HSmrc0sMlYUkAGmm5OPpG2HaGWk='
