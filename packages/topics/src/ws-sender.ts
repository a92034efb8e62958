import type { Duplex } from 'node:stream'
import type { ZlibOptions } from 'node:zlib'
import type { Deflate } from './deflate.ts'
import type { TopicSocket } from './socket.ts'

// All that is used of `ws`, and of Node's streams, beside their public interface stands in this file. Where something of it
// is missing, `senderOf` finds nothing and `send` is called instead, and `waitingPieces` finds nothing, so that bytes alone
// count. `test/ws-versions.test.ts` says in which versions it is there.

/** The part of a socket of `ws` that writes frames. */
export interface Sender {
  readonly _socket: Duplex
  /** 0, or what it waits for: a deflate job or the bytes of a Blob. Since ws 8.18. */
  readonly _state: number
  /** Whether the next frame begins a message; false within a message that is sent in fragments. */
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

/** What writes the frames of a server's socket; undefined where it can't be told when it is idle. */
export function senderOf(socket: TopicSocket): Sender | undefined {
  const { _isServer, _sender: sender } = socket as unknown as Partial<Internals>
  // A client masks each frame with a mask of its own. RFC 6455 §5.3.
  if (_isServer !== true || typeof sender !== 'object' || sender === null) return undefined
  const isKnown =
    typeof sender._state === 'number' &&
    typeof sender._firstFragment === 'boolean' &&
    typeof sender._socket?.cork === 'function'
  return isKnown ? sender : undefined
}

/** What of a socket tells how much waits; some of it is private to `ws` and some to Node. */
interface Waiting {
  readonly _socket?: { readonly _writableState?: { readonly bufferedRequestCount?: number } } | null
  readonly _sender?: { readonly _queue?: readonly unknown[] } | null
}

/**
 * In how many pieces `bufferedAmount` waits: writes for which the raw socket has not asked yet, and messages in front of
 * which `ws` compresses another one. What the operating system has been given and not taken is not among them.
 */
export function waitingPieces(socket: TopicSocket): number {
  const { _socket: rawSocket, _sender: sender } = socket as unknown as Waiting
  return (rawSocket?._writableState?.bufferedRequestCount ?? 0) + (sender?._queue?.length ?? 0)
}

export const isIdle = (sender: Sender): boolean => sender._state === 0

/** Whether a message that is sent in fragments has begun and not ended: no other one may come in between. */
export const isWithinMessage = (sender: Sender | undefined): boolean => sender?._firstFragment === false

/**
 * What was agreed on about compression: nothing; that each message is compressed by itself; or, as 'shared', that a
 * message may refer to those before it, so that each connection needs bytes of its own. RFC 7692 §7.1.1.1.
 */
export function deflateOf(socket: TopicSocket): Deflate | 'shared' | undefined {
  if (socket.extensions === '') return undefined
  const agreed = (socket as unknown as Partial<Internals>)._extensions?.['permessage-deflate']
  const { server_no_context_takeover: isAlone, server_max_window_bits: windowBits = 15 } = agreed?.params ?? {}
  const thresholdBytes = agreed?._threshold
  // zlib makes a window of 9 where 8 is asked for. https://nodejs.org/api/zlib.html#class-zlibdeflateraw
  if (isAlone !== true || typeof thresholdBytes !== 'number' || windowBits < 9) return 'shared'
  return { windowBits, thresholdBytes, zlibOptions: agreed?._options?.zlibDeflateOptions }
}
