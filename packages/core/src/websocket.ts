import type { EventEmitter } from 'node:events'
import type { ClientRequest, IncomingMessage } from 'node:http'

/**
 * The `WebSocket` of `ws`, one end of a connection. https://github.com/websockets/ws/blob/master/doc/ws.md#class-websocket
 *
 * The type needs no `@types/ws`. Where that is installed, this type and its `WebSocket` can be assigned to each other.
 */
export interface WebSocket extends EventEmitter {
  /**
   * What binary messages are delivered as: a `Buffer`, an `ArrayBuffer`, or a list with one `Buffer` for each fragment.
   * @default 'nodebuffer'
   */
  binaryType: 'nodebuffer' | 'arraybuffer' | 'fragments'
  /** Bytes that wait to be sent, with those of the frames around them. */
  readonly bufferedAmount: number
  /** The names of the extensions that both ends use, such as `permessage-deflate`; empty for none. */
  readonly extensions: string
  /** Whether {@link pause} holds the socket back. */
  readonly isPaused: boolean
  /** The subprotocol that both ends speak; empty for none. */
  readonly protocol: string
  /** The state of the connection: 0 connecting, 1 open, 2 closing, 3 closed. */
  readonly readyState: 0 | 1 | 2 | 3
  /** The URL that a client has connected to; a server's socket has none. */
  readonly url: string

  readonly CONNECTING: 0
  readonly OPEN: 1
  readonly CLOSING: 2
  readonly CLOSED: 3

  /** A listener as browsers have it; {@link on} is the one of Node. */
  onopen: ((event: WebSocketEventMap['open']) => void) | null
  /** A listener as browsers have it; {@link on} is the one of Node. */
  onmessage: ((event: WebSocketEventMap['message']) => void) | null
  /** A listener as browsers have it; {@link on} is the one of Node. */
  onclose: ((event: WebSocketEventMap['close']) => void) | null
  /** A listener as browsers have it; {@link on} is the one of Node. */
  onerror: ((event: WebSocketEventMap['error']) => void) | null

  /**
   * Sends a message: a text message for a string or a number, a binary one for the rest. A closed socket drops it, and
   * the callback gets an error.
   * @param callback called when the message has been written
   * @throws Error while the socket is connecting
   */
  send(data: SendData, callback?: (error?: Error) => void): void
  send(data: SendData, options: SendOptions, callback?: (error?: Error) => void): void
  /**
   * Sends a ping, which the other end answers with a pong. RFC 6455 §5.5.2.
   * @param data at most 125 bytes
   * @param mask whether to mask it; by default as the role of this end demands
   * @throws Error while the socket is connecting
   */
  ping(data?: SendData, mask?: boolean, callback?: (error: Error) => void): void
  /**
   * Sends a pong; `ws` answers pings with one by itself. RFC 6455 §5.5.3.
   * @param data at most 125 bytes
   * @param mask whether to mask it; by default as the role of this end demands
   * @throws Error while the socket is connecting
   */
  pong(data?: SendData, mask?: boolean, callback?: (error: Error) => void): void
  /**
   * Starts the closing handshake. RFC 6455 §7.1.2.
   * @param code close code: 1000, another code of RFC 6455 §7.4.1, or 3000 to 4999
   * @param reason close reason, at most 123 bytes of UTF-8
   */
  close(code?: number, reason?: string | Buffer): void
  /** Ends the connection at once, without a closing handshake. */
  terminate(): void
  /** Stops reading, so that the network holds the other end back. What was read before may still be delivered. */
  pause(): void
  /** Reads on after {@link pause}. */
  resume(): void

  /** Adds a listener as browsers have it; {@link on} is the one of Node. */
  addEventListener<Type extends keyof WebSocketEventMap>(
    type: Type,
    listener: WebSocketEventHandler<Type>,
    options?: { once?: boolean | undefined }
  ): void
  /** Removes a listener that {@link addEventListener} has added. */
  removeEventListener<Type extends keyof WebSocketEventMap>(type: Type, listener: WebSocketEventHandler<Type>): void

  on<Name extends keyof WebSocketEvents>(event: Name, listener: WebSocketListener<Name>): this
  on(event: string | symbol, listener: AnyListener): this
  once<Name extends keyof WebSocketEvents>(event: Name, listener: WebSocketListener<Name>): this
  once(event: string | symbol, listener: AnyListener): this
  off<Name extends keyof WebSocketEvents>(event: Name, listener: WebSocketListener<Name>): this
  off(event: string | symbol, listener: AnyListener): this
  addListener<Name extends keyof WebSocketEvents>(event: Name, listener: WebSocketListener<Name>): this
  addListener(event: string | symbol, listener: AnyListener): this
  removeListener<Name extends keyof WebSocketEvents>(event: Name, listener: WebSocketListener<Name>): this
  removeListener(event: string | symbol, listener: AnyListener): this
}

/** A message as it is delivered: text as a `Buffer` of UTF-8, binary as `binaryType` says. */
export type RawData = Buffer | ArrayBuffer | Buffer[]

/** What can be sent: what Node's `Buffer.from()` takes, a number, or a `Blob`. */
export type SendData =
  | string
  | number
  | ArrayBuffer
  | SharedArrayBuffer
  | ArrayBufferView
  | Blob
  | readonly unknown[]
  | { valueOf(): string | ArrayBuffer | SharedArrayBuffer | ArrayBufferView | readonly unknown[] }
  | { [Symbol.toPrimitive](hint: 'string'): string }

/** How one message is sent. */
export interface SendOptions {
  /**
   * Whether the message is binary.
   * @default true for everything but a string and a number
   */
  binary?: boolean | undefined
  /**
   * Whether the message is compressed, on a connection with permessage-deflate.
   * @default true
   */
  compress?: boolean | undefined
  /**
   * Whether the message ends here; `false` lets the next `send` go on with it. RFC 6455 §5.4.
   * @default true
   */
  fin?: boolean | undefined
  /**
   * Whether the frame is masked.
   * @default true for a client, false for a server
   */
  mask?: boolean | undefined
}

/** What listeners for each event get. The last four are events of a client. */
export interface WebSocketEvents {
  message: [data: RawData, isBinary: boolean]
  /** The close code is 1005 where the close frame had none, and 1006 where there was no close frame. */
  close: [code: number, reason: Buffer]
  error: [error: Error]
  ping: [data: Buffer]
  pong: [data: Buffer]
  open: []
  upgrade: [response: IncomingMessage]
  redirect: [url: string, request: ClientRequest]
  'unexpected-response': [request: ClientRequest, response: IncomingMessage]
}

/** A listener for one event of a socket. */
export type WebSocketListener<Name extends keyof WebSocketEvents> = (
  this: WebSocket,
  ...args: WebSocketEvents[Name]
) => void

/** A listener for an event that is the application's own. */
type AnyListener = Parameters<EventEmitter['on']>[1]

/** An event as browsers have it. */
export interface WebSocketEvent {
  readonly type: string
  readonly target: WebSocket
}

/** The events of browsers. https://websockets.spec.whatwg.org/#eventdef-websocket-open */
export interface WebSocketEventMap {
  open: WebSocketEvent
  message: WebSocketEvent & { readonly data: string | RawData }
  close: WebSocketEvent & { readonly code: number; readonly reason: string; readonly wasClean: boolean }
  error: WebSocketEvent & { readonly error: unknown; readonly message: string }
}

/** A listener as browsers have it: a function, or an object with one. */
export type WebSocketEventHandler<Type extends keyof WebSocketEventMap> =
  | ((event: WebSocketEventMap[Type]) => void)
  | { handleEvent(event: WebSocketEventMap[Type]): void }
