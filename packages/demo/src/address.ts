import type { WebSocket } from '@oneport/core'
import type { Backplane } from '@oneport/topics'
import type { Certificate } from './certificate.ts'

/** Where to listen, and with whom to share the chat; port 0 lets the system choose. */
export interface Address {
  readonly host: string
  readonly port: number
  /** With it the server speaks TLS. */
  readonly tls?: Certificate
  /** Brings what is said to and from other processes. */
  readonly backplane?: Backplane
}

/** A server that listens, whichever framework it is built with. */
export interface Running {
  /** The port that it got. */
  readonly port: number
  /** The open WebSockets. */
  connections(): Iterable<WebSocket>
  /** Closes every connection with 1001 and stops listening; resolves in less than a second. */
  close(): Promise<void>
}

/** Time that clients have to answer the closing handshake when the server ends, in milliseconds. */
export const drainMs = 700
