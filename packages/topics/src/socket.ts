/** What is used of a socket. Every `WebSocket` of `ws` has it, and those of Oneport are such sockets. */
export interface TopicSocket {
  /** The state of the connection: 0 connecting, 1 open, 2 closing, 3 closed. */
  readonly readyState: number
  /** Bytes that wait to be sent. */
  readonly bufferedAmount: number
  /** The names of the extensions that both ends use, such as `permessage-deflate`; empty for none. */
  readonly extensions: string
  /** Sends a message. */
  send(data: string | Buffer, options: { binary: boolean; compress: boolean }): void
  send(data: string | Buffer): void
  /** Starts the closing handshake. */
  close(code?: number, reason?: string): void
  /** Ends the connection at once. */
  terminate(): void
  once(event: 'close', listener: (this: this) => void): unknown
  off(event: 'close', listener: (this: this) => void): unknown
}
