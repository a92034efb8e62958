import { constants, deflateRawSync, type ZlibOptions } from 'node:zlib'

/** The negotiated parameters of a connection that compresses each message independently. */
export interface Deflate {
  /** Base-2 logarithm of the window size, from 9 to 15. RFC 7692 §7.1.2.1. */
  readonly windowBits: number
  /** Shorter payloads are not compressed. */
  readonly thresholdBytes: number
  /** The options of the `ws` server that accepted the connection. */
  readonly zlibOptions: ZlibOptions | undefined
}

/** Bytes that `Z_SYNC_FLUSH` appends: the sender removes them, and the receiver adds them again. RFC 7692 §7.2.1. */
const tailLength = 4

/** Compresses a payload without references to others, so that every connection with these parameters can read it. */
export function deflate(payload: Uint8Array, { windowBits, zlibOptions }: Deflate): Uint8Array {
  const deflated = deflateRawSync(payload, { ...zlibOptions, windowBits, finishFlush: constants.Z_SYNC_FLUSH })
  return deflated.subarray(0, deflated.length - tailLength)
}
