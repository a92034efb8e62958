import type { EventEmitter } from 'node:events'
import type { ClientRequest, IncomingMessage } from 'node:http'

/**
 * One end of a WebSocket connection: the `WebSocket` of `ws`.
 * https://github.com/websockets/ws/blob/master/doc/ws.md#class-websocket
 *
 * This type does not need `@types/ws`. If you have it installed, the two types can be assigned to each other.
 */
export interface WebSocket extends EventEmitter {
  /**
   * The type of binary messages: a `Buffer`, an `ArrayBuffer`, or an array with one `Buffer` for each fragment.
   * @default 'nodebuffer'
   */
  binaryType: 'nodebuffer' | 'arraybuffer' | 'fragments'
  /** Number of bytes that wait to be sent, including frame headers. */
  readonly bufferedAmount: number
  /** The negotiated extensions, such as `permessage-deflate`; empty if there are none. */
  readonly extensions: string
  /** Whether the socket is paused; see {@link pause}. */
  readonly isPaused: boolean
  /** The chosen subprotocol; empty if there is none. */
  readonly protocol: string
  /** The state of the connection: 0 connecting, 1 open, 2 closing, 3 closed. */
  readonly readyState: 0 | 1 | 2 | 3
  /** The URL that the client has connected to. Only clients have it. */
  readonly url: string

  /** The `readyState` before the connection is open. */
  readonly CONNECTING: 0
  /** The `readyState` of an open connection. */
  readonly OPEN: 1
  /** The `readyState` during the closing handshake. */
  readonly CLOSING: 2
  /** The `readyState` of a connection that has ended. */
  readonly CLOSED: 3

  /** Handles the `open` event of browsers. In Node, prefer {@link on}. */
  onopen: ((event: WebSocketEventMap['open']) => void) | null
  /** Handles the `message` event of browsers. In Node, prefer {@link on}. */
  onmessage: ((event: WebSocketEventMap['message']) => void) | null
  /** Handles the `close` event of browsers. In Node, prefer {@link on}. */
  onclose: ((event: WebSocketEventMap['close']) => void) | null
  /** Handles the `error` event of browsers. In Node, prefer {@link on}. */
  onerror: ((event: WebSocketEventMap['error']) => void) | null

  /**
   * Sends a message: strings and numbers as text, anything else as binary. If the socket is closing or closed, the
   * message is dropped and the callback gets an error.
   * @param callback called when the message has been written, or with the error
   * @throws Error while the socket is connecting
   */
  send(data: SendData, callback?: (error?: Error) => void): void
  /**
   * Sends a message, with options.
   * @param callback called when the message has been written, or with the error
   * @throws Error while the socket is connecting
   */
  send(data: SendData, options: SendOptions, callback?: (error?: Error) => void): void
  /**
   * Sends a ping, which the peer answers with a pong. RFC 6455 §5.5.2.
   * @param data at most 125 bytes
   * @param mask whether to mask the frame; by default true for a client, false for a server
   * @throws Error while the socket is connecting
   */
  ping(data?: SendData, mask?: boolean, callback?: (error: Error) => void): void
  /**
   * Sends a pong. By default, `ws` already answers each ping with one. RFC 6455 §5.5.3.
   * @param data at most 125 bytes
   * @param mask whether to mask the frame; by default true for a client, false for a server
   * @throws Error while the socket is connecting
   */
  pong(data?: SendData, mask?: boolean, callback?: (error: Error) => void): void
  /**
   * Starts the closing handshake. RFC 6455 §7.1.2.
   * @param code the close code: one of RFC 6455 §7.4.1, such as 1000, or 3000 to 4999; by default the close frame is
   *   empty
   * @param reason the close reason, at most 123 bytes of UTF-8
   */
  close(code?: number, reason?: string | Buffer): void
  /** Destroys the connection at once, without a closing handshake. */
  terminate(): void
  /**
   * Stops reading from the connection, which slows the peer down. Data that was already read may still be delivered.
   */
  pause(): void
  /** Reads again after {@link pause}. */
  resume(): void

  /** Adds a listener for an event of browsers. In Node, prefer {@link on}. */
  addEventListener<Type extends keyof WebSocketEventMap>(
    type: Type,
    listener: WebSocketEventHandler<Type>,
    options?: {
      /**
       * Whether to remove the listener after its first call.
       * @default false
       */
      once?: boolean | undefined
    }
  ): void
  /** Removes a listener that was added with {@link addEventListener}. */
  removeEventListener<Type extends keyof WebSocketEventMap>(type: Type, listener: WebSocketEventHandler<Type>): void

  /** Adds a listener for an event of the socket, such as `message` or `close`; see {@link WebSocketEvents}. */
  on<Name extends keyof WebSocketEvents>(event: Name, listener: WebSocketListener<Name>): this
  /** Adds a listener for any other event. */
  on(event: string | symbol, listener: AnyListener): this
  /** Adds a listener for the next event of this name; see {@link WebSocketEvents}. */
  once<Name extends keyof WebSocketEvents>(event: Name, listener: WebSocketListener<Name>): this
  /** Adds a listener for the next event of any other name. */
  once(event: string | symbol, listener: AnyListener): this
  /** Removes a listener that was added with {@link on} or {@link once}. */
  off<Name extends keyof WebSocketEvents>(event: Name, listener: WebSocketListener<Name>): this
  /** Removes a listener for any other event. */
  off(event: string | symbol, listener: AnyListener): this
  /** The same as {@link on}. */
  addListener<Name extends keyof WebSocketEvents>(event: Name, listener: WebSocketListener<Name>): this
  /** The same as {@link on}. */
  addListener(event: string | symbol, listener: AnyListener): this
  /** The same as {@link off}. */
  removeListener<Name extends keyof WebSocketEvents>(event: Name, listener: WebSocketListener<Name>): this
  /** The same as {@link off}. */
  removeListener(event: string | symbol, listener: AnyListener): this
}

/** A received message: text as a `Buffer` of UTF-8, binary in the type that `binaryType` names. */
export type RawData = Buffer | ArrayBuffer | Buffer[]

/** Data that can be sent: anything that `Buffer.from()` accepts, a number, or a `Blob`. */
export type SendData =
  | string
  | number
  | ArrayBuffer
  | SharedArrayBuffer
  | ArrayBufferView
  | Blob
  | readonly unknown[]
  | {
      /** Returns the data. */
      valueOf(): string | ArrayBuffer | SharedArrayBuffer | ArrayBufferView | readonly unknown[]
    }
  | {
      /** Returns the data as a string. */
      [Symbol.toPrimitive](hint: 'string'): string
    }

/** How to send a message. */
export interface SendOptions {
  /**
   * Whether to send a binary message.
   * @default false for a string or a number, otherwise true
   */
  binary?: boolean | undefined
  /**
   * Whether to compress the message, if permessage-deflate was negotiated.
   * @default true
   */
  compress?: boolean | undefined
  /**
   * Whether this is the last fragment of the message. With `false`, the next `send` continues it. RFC 6455 §5.4.
   * @default true
   */
  fin?: boolean | undefined
  /**
   * Whether to mask the frame.
   * @default true for a client, false for a server
   */
  mask?: boolean | undefined
}

/** The events of a socket, each with the arguments of its listeners. Only clients emit the last four. */
export interface WebSocketEvents {
  /** A message. The data of a text message is UTF-8: `String(data)` is its text. `isBinary` tells the two apart. */
  message: [data: RawData, isBinary: boolean]
  /** The end of the connection. `code` is 1005 if the close frame has no code, and 1006 if there was no close frame. */
  close: [code: number, reason: Buffer]
  /** The peer broke the protocol, or the connection failed. `close` follows. */
  error: [error: Error]
  /** A ping. `ws` answers it. */
  ping: [data: Buffer]
  /** A pong, which is the answer to a ping. */
  pong: [data: Buffer]
  /** The connection is open. */
  open: []
  /** The answer that opens the connection has arrived, with its header fields. */
  upgrade: [response: IncomingMessage]
  /** The answer is a redirect, which the client follows. */
  redirect: [url: string, request: ClientRequest]
  /** The answer has another status than 101. With a listener for it, the client leaves the request to that. */
  'unexpected-response': [request: ClientRequest, response: IncomingMessage]
}

/** A listener for one event of a socket. */
export type WebSocketListener<Name extends keyof WebSocketEvents> = (
  this: WebSocket,
  ...args: WebSocketEvents[Name]
) => void

/** A listener for any other event. */
type AnyListener = Parameters<EventEmitter['on']>[1]

/** An event as in browsers. */
export interface WebSocketEvent {
  /** The name of the event. */
  readonly type: string
  /** The socket. */
  readonly target: WebSocket
}

/** The events of the browser interface. https://websockets.spec.whatwg.org/#eventdef-websocket-open */
export interface WebSocketEventMap {
  /** The connection is open. */
  open: WebSocketEvent
  /** A message. */
  message: WebSocketEvent & {
    /** Text as a string, binary in the type that `binaryType` names. */
    readonly data: string | RawData
  }
  /** The end of the connection. */
  close: WebSocketEvent & {
    /** The close code; 1005 if the close frame has none, 1006 if there was no close frame. */
    readonly code: number
    /** The close reason; empty if there is none. */
    readonly reason: string
    /** Whether the closing handshake was complete. */
    readonly wasClean: boolean
  }
  /** The peer broke the protocol, or the connection failed. */
  error: WebSocketEvent & {
    /** What failed. */
    readonly error: unknown
    /** The message of the error. */
    readonly message: string
  }
}

/** A listener of the browser interface: a function, or an object with a `handleEvent` method. */
export type WebSocketEventHandler<Type extends keyof WebSocketEventMap> =
  | ((event: WebSocketEventMap[Type]) => void)
  | {
      /** Called with the event. */
      handleEvent(event: WebSocketEventMap[Type]): void
    }
