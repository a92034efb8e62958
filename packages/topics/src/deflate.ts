import { constants, deflateRawSync, type ZlibOptions } from 'node:zlib'

/** What was agreed on for a connection whose messages are compressed each by itself. */
export interface Deflate {
  /** From 9 to 15, as base-2 logarithm. RFC 7692 §7.1.2.1. */
  readonly windowBits: number
  /** Payloads below this many bytes stay as they are. */
  readonly thresholdBytes: number
  /** Those of the `ws` server that accepted the connection. */
  readonly zlibOptions: ZlibOptions | undefined
}

/** What `Z_SYNC_FLUSH` ends with, and the receiver adds again. RFC 7692 §7.2.1. */
const tailLength = 4

/** Compresses a payload with no reference to any other one, so that every such connection can read it. */
export function deflate(payload: Uint8Array, { windowBits, zlibOptions }: Deflate): Uint8Array {
  const deflated = deflateRawSync(payload, { ...zlibOptions, windowBits, finishFlush: constants.Z_SYNC_FLUSH })
  return deflated.subarray(0, deflated.length - tailLength)
}
