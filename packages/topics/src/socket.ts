/** The part of a socket that topics use. Every `WebSocket` of `ws` has it, including the sockets of Oneport. */
export interface TopicSocket {
  /** The state of the connection: 0 connecting, 1 open, 2 closing, 3 closed. */
  readonly readyState: number
  /** Number of bytes that wait to be sent. */
  readonly bufferedAmount: number
  /** The negotiated extensions, such as `permessage-deflate`; empty if there are none. */
  readonly extensions: string
  /** Sends a message. */
  send(
    data: string | Buffer,
    options: {
      /** Whether it is a binary message. */
      binary: boolean
      /** Whether to compress it. */
      compress: boolean
    }
  ): void
  /** Sends a message: text as text, and bytes as a binary message. */
  send(data: string | Buffer): void
  /** Starts the closing handshake. */
  close(code?: number, reason?: string): void
  /** Destroys the connection at once, without a closing handshake. */
  terminate(): void
  /** Adds a listener for the end of the connection. */
  once(event: 'close', listener: (this: this) => void): unknown
  /** Removes such a listener. */
  off(event: 'close', listener: (this: this) => void): unknown
}
