import { type IncomingMessage, type Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { reportingRefusals } from '../check.ts'
import type { Connections } from '../connections.ts'
import { HandshakeError } from '../errors.ts'
import { contain } from '../fault.ts'
import { beginHandshake, Handshake, handshakeOf } from '../handshake.ts'
import type { ResolvedOptions } from '../options.ts'
import { answerFailure, closeAfterReading } from '../reject.ts'
import { hasContent, isOpeningHandshake, validateHost } from '../validate.ts'
import { serveAsOrdinaryRequest } from './replay.ts'

/** What takes a handshake from the wire. */
export interface Receiver {
  readonly dispatch: (req: IncomingMessage, res: ServerResponse) => unknown
  readonly options: ResolvedOptions
  readonly connections: Connections
}

/** Newer versions of Node ask this before they take a request for an upgrade (https://nodejs.org/api/http.html). */
interface UpgradeDecider {
  shouldUpgradeCallback?: ((req: IncomingMessage) => boolean) | undefined
}

/**
 * Listens for the handshakes of a server.
 * @returns a function that stops it and leaves the server as it was
 */
export function listen(server: Server, receiver: Receiver): () => void {
  const onUpgrade = (req: IncomingMessage, rawSocket: Duplex, head: Buffer): void => {
    // Node has taken its own listener off: without one, a reset during the handshake ends the process.
    rawSocket.on('error', ignoreError)
    if (isOpeningHandshake(req)) {
      rawSocket.on('drain', passDrainOn)
      receive(receiver, req, rawSocket, head.length === 0 ? undefined : head)
    } else {
      rawSocket.removeListener('error', ignoreError)
      serveAsOrdinaryRequest(server, req, rawSocket, head)
    }
  }
  server.on('upgrade', onUpgrade)
  const restoreRule = leaveBodiesToNode(server)
  return () => {
    server.removeListener('upgrade', onUpgrade)
    restoreRule()
  }
}

/** The socket is destroyed by itself after an error, and `close` tells whoever waits. */
function ignoreError(): void {}

/** From here on Node reads a request's body before it hands over the connection. */
const firstMajorThatReadsBodies = 25

/**
 * Where Node would read the body of a request for another protocol away, such requests stay with Node from the start;
 * with other listeners for `upgrade` on the server they may be theirs, so the server's own rule holds.
 * Everywhere else `serveAsOrdinaryRequest` does better than Node, which loses what is pipelined behind them.
 */
function leaveBodiesToNode(server: Server & UpgradeDecider): () => void {
  const previous = server.shouldUpgradeCallback
  if (previous === undefined || Number.parseInt(process.versions.node, 10) < firstMajorThatReadsBodies) return () => {}
  const decide = (req: IncomingMessage): boolean =>
    !hasContent(req) || (server.listenerCount('upgrade') > 1 && previous.call(server, req))
  server.shouldUpgradeCallback = decide
  return () => {
    if (server.shouldUpgradeCallback === decide) server.shouldUpgradeCallback = previous
  }
}

/** Node's name for the response that a raw socket is busy with. */
interface BusySocket extends Duplex {
  _httpMessage?: ServerResponse | null
}

/**
 * Waits until the responses to requests in front of this one have gone out, then dispatches it.
 * Node hands over a pipelined handshake while they are still being written.
 */
function receive(receiver: Receiver, req: IncomingMessage, rawSocket: BusySocket, head: Buffer | undefined): void {
  if (rawSocket.destroyed || rawSocket.writableEnded) return
  const inFront = rawSocket._httpMessage
  if (inFront) inFront.once('close', () => receive(receiver, req, rawSocket, head))
  else dispatch(receiver, req, rawSocket, head)
}

function dispatch(
  { dispatch, options, connections }: Receiver,
  req: IncomingMessage,
  rawSocket: Duplex,
  head: Buffer | undefined
): void {
  const res = new ServerResponse(req)
  res.shouldKeepAlive = false
  res.assignSocket(rawSocket as never)
  res.on('finish', onFinish)
  res.on('close', onClose)
  // A keep-alive timeout of requests in front must not end the handshake.
  if ('setTimeout' in rawSocket) (rawSocket as Duplex & { setTimeout(ms: number): void }).setTimeout(0)
  const isFull = connections.pending.size >= options.maxPendingHandshakes
  beginHandshake(req, new Handshake(options, connections, rawSocket, res, head))

  contain(
    () => {
      reportingRefusals(req, {}, () => {
        validateHost(req)
        if (isFull) throw tooManyWait(options.maxPendingHandshakes)
      })
      return dispatch(req, res)
    },
    (error) => answerFailure(error, res, options.onError)
  )
}

const tooManyWait = (max: number): HandshakeError =>
  new HandshakeError(
    'HANDSHAKE_UNAVAILABLE',
    'The server is busy; try again in a few seconds.',
    `maxPendingHandshakes is ${max}`
  )

/**
 * Passes a raw socket's `drain` on to its response; Node's own listener is gone by now.
 * `writableNeedDrain` would stay true for ever without Node's listener, so it is read from the socket from here on.
 */
function passDrainOn(this: BusySocket): void {
  const res = this._httpMessage
  if (!res || res.writableEnded) return
  Object.defineProperty(res, 'writableNeedDrain', {
    configurable: true,
    get: () => this.writableNeedDrain
  })
  res.emit('drain')
}

function onFinish(this: ServerResponse): void {
  const handshake = handshakeOf(this.req)
  if (handshake?.state === 'accepted') {
    handshake.rawSocket.removeListener('drain', passDrainOn)
    // `ws` has its own by now.
    handshake.rawSocket.removeListener('error', ignoreError)
    // The response is over, and late writes to it must stay silent; logs wait for these events.
    ;(this as { destroyed: boolean }).destroyed = true
    process.nextTick(emitClose, this)
  } else if (handshake !== undefined) {
    handshake.end()
    closeAfterReading(handshake.rawSocket)
  }
}

function onClose(this: ServerResponse): void {
  handshakeOf(this.req)?.end()
}

function emitClose(res: ServerResponse): void {
  res.emit('close')
}
