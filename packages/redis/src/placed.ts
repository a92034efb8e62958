import type { Position } from '@oneport/topics'

/** The first byte of a message with a header. The envelopes of topics begin with another one. */
export const mark = '\x02'

const markCode = mark.charCodeAt(0)
const lineFeed = 0x0a

/** More than the longest header. */
const longestHeader = 128

const place = /^(\w[\w.-]*) ([1-9]\d*)$/

/** Most characters of an epoch, and most digits of an offset. */
const longestEpoch = 64
const mostDigits = 15

/** A message without a place, as sent on a channel: unchanged, unless it looks like one with a header. */
export const unplaced = (message: Buffer): Buffer =>
  message[0] === markCode ? Buffer.concat([Buffer.from(`${mark}\n`), message]) : message

/** Reads the place of a message, as the script writes it: epoch, space, offset. */
export function placeOf(text: string): Position | undefined {
  const [, epoch = '', offset = ''] = place.exec(text) ?? []
  const isPlace = epoch !== '' && epoch.length <= longestEpoch && offset.length <= mostDigits
  return isPlace ? { epoch, offset: Number(offset) } : undefined
}

/** Separates a message on a channel from its place. */
export function openPlaced(bytes: Buffer): { readonly message: Buffer; readonly position: Position | undefined } {
  if (bytes[0] === markCode) {
    const end = bytes.subarray(0, longestHeader).indexOf(lineFeed)
    const message = bytes.subarray(end + 1)
    const position = placeOf(bytes.toString('latin1', 1, Math.max(end, 1)))
    if (position !== undefined || end === 1) return { message, position }
  }
  return { message: bytes, position: undefined }
}
