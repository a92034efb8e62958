import { channel } from 'node:diagnostics_channel'
import type { IncomingMessage } from 'node:http'
import type { HandshakeError, HandshakeErrorCode } from '../errors.ts'
import type { WebSocket } from '../websocket.ts'
import type { ConnectionSummary } from './facts.ts'
import type { FaultContext } from './fault.ts'

/** Why the server ended a connection. */
export type TerminationCause = 'heartbeat' | 'backpressure' | 'budget' | 'drain'

/** Counters of an attachment. Those in the past tense count since it was attached. */
export interface AttachmentStats {
  /** Number of open connections. */
  readonly open: number
  /** Number of clients that wait for a response of `serveTopics` over plain HTTP. Those with a GET have a place too. */
  readonly httpClients: number
  /** Whether new handshakes get 503. For a readiness probe. */
  readonly draining: boolean
  /** Number of handshakes that are not completely answered. */
  readonly pending: number
  /** Number of accepted handshakes. */
  readonly accepted: number
  /**
   * Number of handshakes, and of requests to `serveTopics` over plain HTTP, that Oneport refused, by error code. Does
   * not count what the application itself refused.
   */
  readonly refused: Readonly<Partial<Record<HandshakeErrorCode, number>>>
  /** Number of closed connections, by close code; 1006 if there was no close frame. */
  readonly closed: Readonly<Record<number, number>>
  /**
   * Number of connections that the server ended, by cause: terminated (`heartbeat`, `drain`), closed with 1013
   * (`backpressure`), or closed with 1008 (`budget`).
   */
  readonly terminated: Readonly<Record<TerminationCause, number>>
}

/** A connection that has ended. */
export interface EndedConnection {
  summarize(code: number): ConnectionSummary
}

/** Reports a connection that has ended. Never throws. */
export type ClosedReporter = (socket: WebSocket, summary: ConnectionSummary) => void

// https://nodejs.org/api/diagnostics_channel.html. Messages are created only if there are subscribers.
const channels = {
  accepted: channel('oneport:handshake:accepted'),
  refused: channel('oneport:handshake:refused'),
  closed: channel('oneport:connection:closed'),
  terminated: channel('oneport:connection:terminated'),
  error: channel('oneport:error')
}

/** Publishes a fault on `oneport:error`. */
export function publishFault(error: unknown, context: FaultContext): void {
  if (channels.error.hasSubscribers) channels.error.publish({ error, ...context })
}

/** Counts what happens, and publishes it on the channels `oneport:*`. */
export class Stats {
  #accepted = 0
  readonly #refused: Partial<Record<HandshakeErrorCode, number>> = {}
  readonly #closed: Record<number, number> = {}
  readonly #terminated: Record<TerminationCause, number> = { heartbeat: 0, backpressure: 0, budget: 0, drain: 0 }

  /** @param since when the handshake arrived, by `performance.now()` */
  accepted(socket: WebSocket, request: IncomingMessage, since: number): void {
    this.#accepted++
    if (!channels.accepted.hasSubscribers) return
    channels.accepted.publish({ socket, request, durationMs: performance.now() - since })
  }

  /** @param since when the handshake arrived, by `performance.now()` */
  refused(error: HandshakeError, request: IncomingMessage, since: number): void {
    this.#refused[error.code] = (this.#refused[error.code] ?? 0) + 1
    if (!channels.refused.hasSubscribers) return
    channels.refused.publish({ error, code: error.code, request, durationMs: performance.now() - since })
  }

  closed(socket: WebSocket, ended: EndedConnection, code: number, onClosed: ClosedReporter | undefined): void {
    this.#closed[code] = (this.#closed[code] ?? 0) + 1
    if (onClosed === undefined && !channels.closed.hasSubscribers) return
    const summary = ended.summarize(code)
    onClosed?.(socket, summary)
    if (channels.closed.hasSubscribers) channels.closed.publish({ socket, ...summary })
  }

  terminated(socket: WebSocket, cause: TerminationCause): void {
    this.#terminated[cause]++
    if (channels.terminated.hasSubscribers) channels.terminated.publish({ socket, cause })
  }

  /** A snapshot of the counters. */
  read(now: Pick<AttachmentStats, 'open' | 'httpClients' | 'pending' | 'draining'>): AttachmentStats {
    return {
      ...now,
      accepted: this.#accepted,
      refused: { ...this.#refused },
      closed: { ...this.#closed },
      terminated: { ...this.#terminated }
    }
  }
}
