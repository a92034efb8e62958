import type { IncomingMessage, ServerResponse } from 'node:http'
import { takeBearerToken } from '../bearer.ts'
import { reportingRefusals } from '../check.ts'
import type { Connections } from '../connections.ts'
import { HandshakeError } from '../errors.ts'
import { contain } from '../fault.ts'
import { beginHandshake, type Handshake } from '../handshake.ts'
import type { ResolvedOptions } from '../options.ts'
import { answerFailure } from '../reject.ts'
import { validateHost } from '../validate.ts'

/** What takes a handshake from the wire. */
export interface Receiver {
  readonly dispatch: (req: IncomingMessage, res: ServerResponse) => unknown
  readonly options: ResolvedOptions
  readonly connections: Connections
}

/** Takes a handshake through the application; whatever it does, the handshake gets an answer. */
export function dispatch({ dispatch, options, connections }: Receiver, handshake: Handshake): void {
  const { response } = handshake
  const { req } = response
  beginHandshake(req, handshake)
  const isFull = connections.pending.size > options.maxPendingHandshakes

  contain(
    () => {
      reportingRefusals(req, {}, () => {
        validateHost(req)
        if (options.bearerSubprotocol !== undefined) takeBearerToken(req, options.bearerSubprotocol)
        if (isFull) throw tooManyWait(options.maxPendingHandshakes)
      })
      return dispatch(req, response)
    },
    (error) => answerFailure(error, response, options.onError)
  )
}

const tooManyWait = (max: number): HandshakeError =>
  new HandshakeError(
    'HANDSHAKE_UNAVAILABLE',
    'The server is busy; try again in a few seconds.',
    `maxPendingHandshakes is ${max}`
  )

/** The socket is destroyed by itself after an error, and `close` tells whoever waits. */
export function ignoreError(): void {}
