import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AttachOptions, acceptWebSocket, attach, type WebSocketHandler } from '@oneport/core'
import type { ConnectOptions } from '../src/index.ts'

/** A server that accepts every handshake. */
export function accepting(handler: WebSocketHandler<IncomingMessage>, options: AttachOptions = {}): Server {
  return answering((req, res) => acceptWebSocket(req, res, handler), options)
}

/** A server that answers handshakes in its own way. */
export function answering(
  listener: (req: IncomingMessage, res: ServerResponse) => unknown,
  options: AttachOptions = {}
): Server {
  const server = createServer(listener)
  attach(server, listener, { onRefused: () => {}, ...options })
  return server
}

/** For waits that should time out. */
export const brief: ConnectOptions = { timeoutMs: 250 }

/** The message with which a promise rejects. */
export async function said(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
  } catch (error) {
    return (error as Error).message
  }
  throw new Error('it did not reject')
}
