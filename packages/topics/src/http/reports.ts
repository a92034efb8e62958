import { channel } from 'node:diagnostics_channel'
import type { IncomingMessage } from 'node:http'

/** What a client asks for over plain HTTP. */
export type HttpKind = 'stream' | 'poll' | 'publish'

/** Why a client no longer waits: a close code, as for sockets. RFC 6455 §7.4.1. */
const [complete, lost] = [1000, 1006]

// Messages are created only if there are subscribers.
const channels = {
  accepted: channel('oneport:http-client:accepted'),
  refused: channel('oneport:http-client:refused'),
  closed: channel('oneport:http-client:closed')
}

/** A client that waits for a response. */
export interface Visit {
  readonly kind: HttpKind
  /** What the channel says about it when it has ended; undefined if nobody listens. */
  readonly facts: { readonly since: number; readonly path: string; readonly address: string | undefined } | undefined
  /** Whether its connection has closed before its response was complete. */
  isLost: boolean
}

/** Counts what clients ask for over plain HTTP, and publishes it on the channels `oneport:http-client:*`. */
export class HttpReports {
  readonly #waiting: Record<HttpKind, number> = { stream: 0, poll: 0, publish: 0 }
  readonly #refused: Record<number, number> = {}
  #accepted = 0

  get counts(): {
    streams: number
    polls: number
    publishing: number
    accepted: number
    refused: Record<number, number>
  } {
    const { stream, poll, publish } = this.#waiting
    return {
      streams: stream,
      polls: poll,
      publishing: publish,
      accepted: this.#accepted,
      refused: { ...this.#refused }
    }
  }

  accepted(kind: HttpKind, request: IncomingMessage): Visit {
    this.#accepted++
    this.#waiting[kind]++
    if (channels.accepted.hasSubscribers) channels.accepted.publish({ kind, request })
    return { kind, facts: channels.closed.hasSubscribers ? factsOf(request) : undefined, isLost: false }
  }

  /** @param kind undefined for another method */
  refused(kind: HttpKind | undefined, status: number, request: IncomingMessage): void {
    this.#refused[status] = (this.#refused[status] ?? 0) + 1
    if (channels.refused.hasSubscribers) channels.refused.publish({ kind, status, request })
  }

  /** @param code why topics have closed it; undefined if they have not */
  closed({ kind, facts, isLost }: Visit, code: number | undefined): void {
    this.#waiting[kind]--
    if (facts === undefined) return
    const { since, path, address } = facts
    const durationMs = performance.now() - since
    const request = { path, address }
    channels.closed.publish({ kind, code: code ?? (isLost ? lost : complete), durationMs, request })
  }
}

const factsOf = ({ url = '', socket }: IncomingMessage): NonNullable<Visit['facts']> => ({
  since: performance.now(),
  // Without the query, which may contain a token.
  path: url.split('?', 1)[0] as string,
  address: socket.remoteAddress
})
