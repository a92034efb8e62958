import type { Duplex } from 'node:stream'
import type { ZlibOptions } from 'node:zlib'
import type { Deflate } from './deflate.ts'
import type { TopicSocket } from './socket.ts'

// This file has all uses of private properties of `ws` and of Node's streams. If one is missing, `senderOf` returns
// undefined and `send` is called instead, or `waitingPieces` returns 0 and only bytes count. `test/ws-versions.test.ts`
// checks which versions have them.

/** The part of a socket of `ws` that writes frames. */
export interface Sender {
  readonly _socket: Duplex
  /** 0 if idle; otherwise it waits for a deflate job or the bytes of a Blob. Since ws 8.18. */
  readonly _state: number
  /** Whether the next frame starts a message; false within a fragmented message. */
  readonly _firstFragment: boolean
}

interface PerMessageDeflate {
  readonly params: { server_no_context_takeover?: boolean; server_max_window_bits?: number }
  readonly _threshold: number
  readonly _options: { zlibDeflateOptions?: ZlibOptions }
}

interface Internals {
  readonly _isServer: boolean
  readonly _sender: Sender
  readonly _extensions: { 'permessage-deflate'?: PerMessageDeflate }
}

/** The part of a server's socket that writes frames; undefined if there is no way to know whether it is idle. */
export function senderOf(socket: TopicSocket): Sender | undefined {
  const { _isServer, _sender: sender } = socket as unknown as Partial<Internals>
  // A client masks each frame with a new key, so no frames can be shared. RFC 6455 §5.3.
  if (_isServer !== true || typeof sender !== 'object' || sender === null) return undefined
  const isKnown =
    typeof sender._state === 'number' &&
    typeof sender._firstFragment === 'boolean' &&
    typeof sender._socket?.cork === 'function'
  return isKnown ? sender : undefined
}

/** The properties that show how much waits; some are private to `ws`, some to Node. */
interface Waiting {
  readonly _socket?: { readonly _writableState?: { readonly bufferedRequestCount?: number } } | null
  readonly _sender?: { readonly _queue?: readonly unknown[] } | null
}

/**
 * The number of pieces that make up `bufferedAmount`: writes queued in the raw socket, and messages queued in `ws`
 * until another one is compressed. Data that was passed to the operating system is not included.
 */
export function waitingPieces(socket: TopicSocket): number {
  const { _socket: rawSocket, _sender: sender } = socket as unknown as Waiting
  return (rawSocket?._writableState?.bufferedRequestCount ?? 0) + (sender?._queue?.length ?? 0)
}

export const isIdle = (sender: Sender): boolean => sender._state === 0

/** Whether a fragmented message has started and not ended: no other message may be sent in between. */
export const isWithinMessage = (sender: Sender | undefined): boolean => sender?._firstFragment === false

/**
 * The negotiated compression: undefined for none, the parameters if each message is compressed independently, or
 * `'shared'` if a message may refer to earlier ones, so that each connection needs frames of its own. RFC 7692
 * §7.1.1.1.
 */
export function deflateOf(socket: TopicSocket): Deflate | 'shared' | undefined {
  if (socket.extensions === '') return undefined
  const agreed = (socket as unknown as Partial<Internals>)._extensions?.['permessage-deflate']
  const { server_no_context_takeover: isAlone, server_max_window_bits: windowBits = 15 } = agreed?.params ?? {}
  const thresholdBytes = agreed?._threshold
  // zlib uses a window of 9 bits when asked for 8. https://nodejs.org/api/zlib.html#class-zlibdeflateraw
  if (isAlone !== true || typeof thresholdBytes !== 'number' || windowBits < 9) return 'shared'
  return { windowBits, thresholdBytes, zlibOptions: agreed?._options?.zlibDeflateOptions }
}
