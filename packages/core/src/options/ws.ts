import type { ZlibOptions } from 'node:zlib'

/**
 * The compression options of `ws` (RFC 7692). An option that is not set follows the client's offer, or zlib's default.
 */
export interface PerMessageDeflateOptions {
  /**
   * Whether the server compresses each message independently. Then it keeps no compression window per connection, and a
   * message for many clients can be compressed once. RFC 7692 §7.1.1.1.
   * @default false
   */
  serverNoContextTakeover?: boolean | undefined
  /**
   * Whether clients must compress each message independently. RFC 7692 §7.1.1.2.
   * @default false
   */
  clientNoContextTakeover?: boolean | undefined
  /**
   * Size of the server's compression window, as a power of two: 8 to 15. RFC 7692 §7.1.2.1.
   * @default 15
   */
  serverMaxWindowBits?: number | undefined
  /**
   * Maximum size of the client's compression window, as a power of two: 8 to 15. RFC 7692 §7.1.2.2.
   * @default 15
   */
  clientMaxWindowBits?: number | undefined
  /** Options of Node's zlib for sent messages, such as `level`, `memLevel` and `chunkSize`. */
  zlibDeflateOptions?: ZlibSettings | undefined
  /** Options of Node's zlib for received messages. */
  zlibInflateOptions?: ZlibSettings | undefined
  /**
   * Messages shorter than this are not compressed, if messages are compressed independently. In bytes.
   * @default 1_024
   */
  threshold?: number | undefined
  /**
   * Maximum number of messages that the whole process compresses at the same time. Others wait.
   * @default 10
   */
  concurrencyLimit?: number | undefined
}

/** The options of Node's zlib, with `dictionary` as in the types of `ws`. */
interface ZlibSettings extends Omit<ZlibOptions, 'dictionary'> {
  /** The preset dictionary of zlib. */
  dictionary?: unknown
}

/** Options that are passed to `ws` unchanged. */
export interface WsOptions {
  /**
   * Whether several messages that arrive together can be delivered in the same turn of the event loop.
   * @default true
   */
  allowSynchronousEvents?: boolean | undefined
  /**
   * Whether to answer pings with pongs.
   * @default true
   */
  autoPong?: boolean | undefined
  /**
   * Maximum number of pieces in which a message may arrive from the network; more close the connection with 1008. 0 for
   * no limit.
   * @default `maxPayloadBytes / 128`, from 8_192 to 262_144
   */
  maxBufferedChunks?: number | undefined
  /**
   * Maximum number of fragments of a message; more close the connection with 1008. 0 for no limit. RFC 6455 §5.4.
   * @default `maxPayloadBytes / 256`, from 4_096 to 16_384
   */
  maxFragments?: number | undefined
  /**
   * Maximum number of automatic pongs that wait for a client; more cut the connection. 0 for no limit; then only
   * `maxBufferedBytes` limits them.
   * @default 0
   */
  maxPendingAutoPongs?: number | undefined
  /**
   * Whether to skip the check that text is valid UTF-8. Saves time if you can trust all clients. RFC 6455 §8.1.
   * @default false
   */
  skipUTF8Validation?: boolean | undefined
}

/**
 * Whether pings are answered by us, and not by `ws`, which keeps a function with its scope on each socket for this. Only
 * `ws` can limit the answers that wait.
 */
export const answersPings = ({ autoPong = true, maxPendingAutoPongs = 0 }: WsOptions): boolean =>
  autoPong && maxPendingAutoPongs === 0
