import type { ZlibOptions } from 'node:zlib'

/** Options of `ws` for compression; RFC 7692. What is left out is as the client offers it, or as zlib has it. */
export interface PerMessageDeflateOptions {
  /**
   * Whether the server compresses each message by itself. It then keeps no window for each connection, and a message that
   * goes to many can be compressed once. RFC 7692 §7.1.1.1.
   * @default false
   */
  serverNoContextTakeover?: boolean | undefined
  /**
   * Whether clients are to compress each message by itself. RFC 7692 §7.1.1.2.
   * @default false
   */
  clientNoContextTakeover?: boolean | undefined
  /**
   * Size of the window with which the server compresses, as a power of two from 8 to 15. RFC 7692 §7.1.2.1.
   * @default 15
   */
  serverMaxWindowBits?: number | undefined
  /**
   * Size of the window with which clients may compress, as a power of two from 8 to 15. RFC 7692 §7.1.2.2.
   * @default 15
   */
  clientMaxWindowBits?: number | undefined
  /** Options of Node's zlib for what is sent: `level`, `memLevel`, `chunkSize` and the like. */
  zlibDeflateOptions?: ZlibSettings | undefined
  /** Options of Node's zlib for what is received. */
  zlibInflateOptions?: ZlibSettings | undefined
  /**
   * Messages shorter than this many bytes are sent as they are, where each one is compressed by itself.
   * @default 1_024
   */
  threshold?: number | undefined
  /**
   * How many messages of the whole process are compressed at one time; more wait.
   * @default 10
   */
  concurrencyLimit?: number | undefined
}

/** Those of Node, with a dictionary as the types of `ws` have it. */
interface ZlibSettings extends Omit<ZlibOptions, 'dictionary'> {
  dictionary?: unknown
}

/** Options that go to `ws` as they are. */
export interface WsOptions {
  /**
   * Whether several messages that are received together may be delivered in one turn of the event loop.
   * @default true
   */
  allowSynchronousEvents?: boolean | undefined
  /**
   * Whether pings are answered with a pong.
   * @default true
   */
  autoPong?: boolean | undefined
  /**
   * Pieces in which a message may arrive from the network before the connection is closed with 1008; 0 takes any number.
   * @default `maxPayloadBytes / 128`, from 8_192 to 262_144
   */
  maxBufferedChunks?: number | undefined
  /**
   * Fragments that a message may have before the connection is closed with 1008; 0 takes any number. RFC 6455 §5.4.
   * @default `maxPayloadBytes / 256`, from 4_096 to 16_384
   */
  maxFragments?: number | undefined
  /**
   * Pongs of `ws` that may wait for a client before it is cut; 0 lets any number wait, as far as `maxBufferedBytes` does.
   * @default 0
   */
  maxPendingAutoPongs?: number | undefined
  /**
   * Whether text may be invalid UTF-8, which saves time where all clients can be trusted. RFC 6455 §8.1.
   * @default false
   */
  skipUTF8Validation?: boolean | undefined
}
