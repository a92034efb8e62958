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
      /** Whether to send a binary message. */
      binary: boolean
      /** Whether to compress the message. */
      compress: boolean
    }
  ): void
  /** Sends a message: a string as text, a `Buffer` as binary. */
  send(data: string | Buffer): void
  /** Starts the closing handshake. */
  close(code?: number, reason?: string): void
  /** Destroys the connection at once, without a closing handshake. */
  terminate(): void
  /** Adds a listener for the `close` event. */
  once(event: 'close', listener: (this: this) => void): unknown
  /** Removes a listener for the `close` event. */
  off(event: 'close', listener: (this: this) => void): unknown
}

/** A socket for `serve`, which also uses its messages. */
export interface ServedSocket extends Omit<TopicSocket, 'off'> {
  /** Adds a listener for messages. */
  on(event: 'message', listener: MessageListener): unknown
  /** Removes a listener for messages. */
  off(event: 'message', listener: MessageListener): unknown
  /** Removes a listener for the `close` event. */
  off(event: 'close', listener: (this: this) => void): unknown
}

/** Called with each message, in the form that the socket's `binaryType` asks for. */
export type MessageListener = (data: Buffer | ArrayBuffer | Buffer[], isBinary: boolean) => void
