import type { IncomingMessage, ServerResponse } from 'node:http'
import { HandshakeError } from '../errors.ts'
import { beginHandshake, type Handshake, type HandshakeOwner } from '../handshake.ts'
import { answerFailure } from '../refuse.ts'
import { isThenable } from '../reports/fault.ts'
import { takeBearerToken } from '../rules/bearer.ts'
import { validateHost } from '../rules/host.ts'
import { limitPending, noFramework, reportRefusal } from '../rules/rules.ts'

/** An attachment, as far as the transport needs it. */
export interface Receiver extends HandshakeOwner {
  readonly dispatch: (req: IncomingMessage, res: ServerResponse) => unknown
}

/** Sends a handshake through the application, and answers it if the application throws or rejects. */
export function dispatch(receiver: Receiver, handshake: Handshake): void {
  const { response } = handshake
  const { req } = response
  beginHandshake(req, handshake)
  const fail = (error: unknown): void => answerFailure(error, response, handshake.options.onError)
  try {
    admit(req, receiver)
    handshake.isAsked = true
    const answer = receiver.dispatch(req, response)
    if (isThenable(answer)) answer.then(undefined, fail)
  } catch (error) {
    fail(error)
  }
  handshake.dispatched()
}

/** @throws HandshakeError for a handshake that an attachment refuses before the application sees it */
export function admit(req: IncomingMessage, { options, connections }: HandshakeOwner): void {
  const { bearerSubprotocol, maxPendingHandshakes } = options
  const isFull = connections.pending.size > maxPendingHandshakes
  try {
    validateHost(req)
    if (bearerSubprotocol !== undefined) takeBearerToken(req, bearerSubprotocol)
    if (isFull) throw tooManyWait(maxPendingHandshakes)
  } catch (error) {
    reportRefusal(error, req, noFramework)
    throw error
  }
  limitPending(req)
}

const tooManyWait = (max: number): HandshakeError =>
  new HandshakeError(
    'HANDSHAKE_UNAVAILABLE',
    'The server is busy; try again in a few seconds.',
    `maxPendingHandshakes is ${max}`
  )
