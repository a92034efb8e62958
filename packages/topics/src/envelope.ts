import { isUtf8 } from 'node:buffer'
import type { Message } from './message.ts'

/**
 * The first byte. Envelopes of other versions are dropped, so nodes of different versions do not misread each other.
 */
const version = 1

const flags = { binary: 1, compress: 2, notice: 4 } as const
const allFlags = flags.binary | flags.compress

/** Length of the random bytes that identify a node. */
export const nodeIdLength = 8
const headLength = 2 + nodeIdLength

/** A message received from a backplane. */
export interface Opened {
  readonly nodeId: Buffer
  readonly isBinary: boolean
  readonly compress: boolean
  readonly payload: Buffer
}

/** Encodes a message for a backplane: version, flags, node ID, payload. */
export function seal({ payload, isBinary, compress }: Message, nodeId: Buffer): Buffer {
  const envelope = Buffer.allocUnsafe(headLength + payload.length)
  envelope[0] = version
  envelope[1] = (isBinary ? flags.binary : 0) | (compress ? flags.compress : 0)
  nodeId.copy(envelope, 2)
  payload.copy(envelope, headLength)
  return envelope
}

/** Encodes what one node tells the others. Nodes that do not know the flag drop it. */
export function sealNotice(notice: Buffer, nodeId: Buffer): Buffer {
  return Buffer.concat([Buffer.from([version, flags.notice]), nodeId, notice])
}

/**
 * Decodes what another node tells.
 * @returns undefined for anything that {@link sealNotice} did not write
 */
export function openNotice(envelope: Buffer): { readonly nodeId: Buffer; readonly notice: Buffer } | undefined {
  if (!Buffer.isBuffer(envelope) || envelope.length < headLength) return undefined
  if (envelope[0] !== version || envelope[1] !== flags.notice) return undefined
  return { nodeId: envelope.subarray(2, headLength), notice: envelope.subarray(headLength) }
}

/**
 * Decodes a message from a backplane.
 * @returns undefined for anything that {@link seal} did not write
 */
export function open(envelope: Buffer): Opened | undefined {
  if (!Buffer.isBuffer(envelope) || envelope.length < headLength) return undefined
  const [first, given = 0] = envelope
  if (first !== version || (given & ~allFlags) !== 0) return undefined
  const isBinary = (given & flags.binary) !== 0
  const payload = envelope.subarray(headLength)
  // Clients must fail the connection when text is not UTF-8. RFC 6455 §8.1.
  if (!isBinary && !isUtf8(payload)) return undefined
  return { nodeId: envelope.subarray(2, headLength), isBinary, compress: (given & flags.compress) !== 0, payload }
}
