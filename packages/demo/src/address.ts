import type { WebSocket } from '@oneport/core'
import type { Backplane } from '@oneport/topics'
import type { Certificate } from './certificate.ts'

/** Where to listen, and what to share the chat with. With port 0 the system chooses. */
export interface Address {
  readonly host: string
  readonly port: number
  /** If given, the server speaks TLS. */
  readonly tls?: Certificate
  /** Connects this process with others. */
  readonly backplane?: Backplane
  /** Ends one of the processes that serve the demo, without a warning; unknown if there is one only. */
  readonly kill?: (pid: number) => void
}

/** A listening server, whichever framework it uses. */
export interface Running {
  /** The port it listens on. */
  readonly port: number
  /** The open WebSockets. */
  connections(): Iterable<WebSocket>
  /** Closes every connection with 1001 and stops listening; resolves in less than a second. */
  close(): Promise<void>
}

/** How long clients have to answer the closing handshake when the server shuts down, in milliseconds. */
export const drainMs = 700
