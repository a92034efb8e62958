import type { WebSocket } from '@oneport/core'
import type { Backplane } from '@oneport/topics'
import type { Certificate } from './certificate.ts'

/** Where to listen, and with whom to share the chat; port 0 lets the system choose. */
export interface Address {
  readonly host: string
  readonly port: number
  /** With it the server speaks TLS. */
  readonly tls?: Certificate
  /** What joins this process with others. */
  readonly backplanes?: Backplanes
}

/** The two ways to other processes. Topics have one to themselves. */
export interface Backplanes {
  /** What is said in the rooms. */
  readonly said: Backplane
  /** Who is in the rooms. */
  readonly people: Backplane
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
