import { channel } from 'node:diagnostics_channel'
import type { IncomingMessage } from 'node:http'
import type { HandshakeError, HandshakeErrorCode } from '../errors.ts'
import type { WebSocket } from '../websocket.ts'
import type { ConnectionSummary } from './facts.ts'
import type { FaultContext } from './fault.ts'

/** Why the server ended a connection by itself. */
export type TerminationCause = 'heartbeat' | 'backpressure' | 'budget' | 'drain'

/** Counts of one attachment since it was attached, and what is open now. */
export interface AttachmentStats {
  /** Connections that are open. */
  readonly open: number
  /** Whether new handshakes get 503, for a readiness probe. */
  readonly draining: boolean
  /** Handshakes that are not answered in full. */
  readonly pending: number
  /** Handshakes that were accepted. */
  readonly accepted: number
  /** Handshakes that a rule refused, by code; what the application refused by itself is its own to count. */
  readonly refused: Readonly<Partial<Record<HandshakeErrorCode, number>>>
  /** Connections that ended, by close code; 1006 where there was no close frame. */
  readonly closed: Readonly<Record<number, number>>
  /** Connections that the server ended by itself, by cause: cut off, or closed with 1013 (`backpressure`) or 1008 (`budget`). */
  readonly terminated: Readonly<Record<TerminationCause, number>>
}

/** What is told of a connection that has ended. */
export interface EndedConnection {
  summarize(code: number): ConnectionSummary
}

/** Tells of a connection that has ended; never throws. */
export type ClosedReporter = (socket: WebSocket, summary: ConnectionSummary) => void

// https://nodejs.org/api/diagnostics_channel.html: nothing is built where nobody listens.
const channels = {
  accepted: channel('oneport:handshake:accepted'),
  refused: channel('oneport:handshake:refused'),
  closed: channel('oneport:connection:closed'),
  terminated: channel('oneport:connection:terminated'),
  error: channel('oneport:error')
}

/** Tells of a fault on the channel for it. */
export function publishFault(error: unknown, context: FaultContext): void {
  if (channels.error.hasSubscribers) channels.error.publish({ error, ...context })
}

/** Counts what happens, and tells it on the channels `oneport:*`. */
export class Stats {
  #accepted = 0
  readonly #refused: Partial<Record<HandshakeErrorCode, number>> = {}
  readonly #closed: Record<number, number> = {}
  readonly #terminated: Record<TerminationCause, number> = { heartbeat: 0, backpressure: 0, budget: 0, drain: 0 }

  /** @param since when the handshake came, by `performance.now()` */
  accepted(socket: WebSocket, request: IncomingMessage, since: number): void {
    this.#accepted++
    if (!channels.accepted.hasSubscribers) return
    channels.accepted.publish({ socket, request, durationMs: performance.now() - since })
  }

  /** @param since when the handshake came, by `performance.now()` */
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

  /** The counts as they are now; the object does not change afterwards. */
  read(now: Pick<AttachmentStats, 'open' | 'pending' | 'draining'>): AttachmentStats {
    return {
      ...now,
      accepted: this.#accepted,
      refused: { ...this.#refused },
      closed: { ...this.#closed },
      terminated: { ...this.#terminated }
    }
  }
}
