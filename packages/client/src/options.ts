/** What can be sent. */
export type SocketData = string | ArrayBuffer | ArrayBufferView | Blob

/** What functions learn about the attempt for which they are asked. */
export interface Attempt {
  /** 0 for the first attempt, and how many have failed since a connection lasted. */
  readonly attempt: number
  /** Whether the server has refused the last token, with status 401 or close code 4401. */
  readonly refused: boolean
  /** Aborted when the attempt ends, for `fetch()` and the like. */
  readonly signal: AbortSignal
}

/** A value, or a function that is asked for it before each attempt. What it throws counts as a failed attempt. */
export type Asked<Value> = Value | ((attempt: Attempt) => Value | Promise<Value>)

/** What a class of WebSockets has to be: that of the platform, or `WebSocket` of `ws`. */
export type WebSocketClass = new (
  url: string,
  protocols?: string | string[]
) => {
  /** Sends a message. */
  send(data: string): void
  /** Closes the connection. */
  close(code?: number, reason?: string): void
}

/** How to notice that a connection is dead. */
export interface HeartbeatOptions {
  /**
   * How long nothing may arrive before a ping is sent, in milliseconds.
   * @default 25_000
   */
  readonly intervalMs?: number
  /**
   * How long nothing may arrive after that, in milliseconds, before the connection is given up.
   * @default 10_000
   */
  readonly timeoutMs?: number
  /**
   * A message that the server answers, or a function that returns or sends it. Browsers cannot send the pings of the
   * protocol. Without it, the server has to send messages by itself.
   */
  readonly ping?: SocketData | (() => SocketData | undefined)
}

/** How much may wait for a connection. */
export interface QueueOptions {
  /**
   * How many messages.
   * @default 100
   */
  readonly messages?: number
  /**
   * Their size, in bytes.
   * @default 1_048_576
   */
  readonly bytes?: number
}

/** What differs from the defaults. */
export interface ReconnectingWebSocketOptions {
  /**
   * A bearer token. It is offered as a subprotocol, which an endpoint with `bearerSubprotocol` reads; never in the URL,
   * which is logged. RFC 6750 §2.1. `undefined` offers none.
   */
  readonly token?: Asked<string | undefined>
  /**
   * What the name of that subprotocol begins with.
   * @default 'bearer.'
   */
  readonly bearerSubprotocol?: string
  /**
   * The longest time before the first retry, in milliseconds. It doubles with each failure, and each wait is a random
   * part of it.
   * @default 500
   */
  readonly minDelayMs?: number
  /**
   * The ceiling of that time, in milliseconds. Also the time between two attempts while the platform says that it is
   * offline.
   * @default 30_000
   */
  readonly maxDelayMs?: number
  /**
   * The time over which clients return, at random, to a server that restarts: close codes 1001, 1012 and 1013. In
   * milliseconds.
   * @default 3_000
   */
  readonly spreadMs?: number
  /**
   * A connection that lasted so long, in milliseconds, was a success: delays start with the first one again.
   * @default 5_000
   */
  readonly stableMs?: number
  /**
   * The time that an attempt may take, in milliseconds, with everything that is asked for it.
   * @default 10_000
   */
  readonly connectTimeoutMs?: number
  /**
   * How many attempts may fail in a row after the first one. With 0 it behaves as a `WebSocket`, for libraries that
   * reconnect themselves.
   * @default Infinity
   */
  readonly maxRetries?: number
  /** Notices dead connections. Without it, that is left to the platform, which often takes minutes. */
  readonly heartbeat?: HeartbeatOptions
  /** Keeps what is sent while there is no connection. Without it, `send()` throws then. */
  readonly queue?: QueueOptions
  /** Closes the socket for good when it is aborted. */
  readonly signal?: AbortSignal
  /**
   * Asks over HTTP why a handshake has failed, which a page cannot see otherwise. `false` never asks. Topics also use it
   * for streams, polls and publishing over HTTP.
   * @default globalThis.fetch
   */
  readonly fetch?: typeof globalThis.fetch | false
  /**
   * The class of the connections, for platforms without one of their own, such as Node.js 20: that of `ws`.
   * @default globalThis.WebSocket
   */
  readonly webSocket?: WebSocketClass
}
