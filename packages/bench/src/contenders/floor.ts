import { createHash } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { subprotocol } from './endpoint.ts'

const guid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** A hand-written 101, with the least that RFC 6455 §4.2.2 requires. */
export function writeSwitching(rawSocket: Duplex, key: string): void {
  const accept = createHash('sha1')
    .update(key + guid)
    .digest('base64')
  rawSocket.write(
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      `Sec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: ${subprotocol}\r\n\r\n`
  )
}

const closeOpcode = 0x8

/** The least code that echoes a client's frames and answers its close frame. It checks nothing. */
export function echoFrames(rawSocket: Duplex): void {
  let rest: Buffer | undefined
  rawSocket.on('data', (chunk: Buffer) => {
    const bytes = rest === undefined ? chunk : Buffer.concat([rest, chunk])
    let start = 0
    rawSocket.cork()
    for (let end = frameEnd(bytes, start); end <= bytes.length; end = frameEnd(bytes, start)) {
      const frame = bytes.subarray(start, end)
      rawSocket.write(unmaskInPlace(frame))
      start = end
      if (((frame[0] as number) & 0xf) === closeOpcode) rawSocket.end()
    }
    rawSocket.uncork()
    rest = start === bytes.length ? undefined : bytes.subarray(start)
  })
}

/** Bytes of a frame's header, without the mask. */
function headerLength(frame: Buffer): number {
  const length = (frame[1] as number) & 0x7f
  return length < 126 ? 2 : length === 126 ? 4 : 10
}

/** The end of the masked frame at an offset; Infinity if its header is incomplete. RFC 6455 §5.2. */
function frameEnd(bytes: Buffer, start: number): number {
  const left = bytes.length - start
  if (left < 2) return Infinity
  const length = (bytes[start + 1] as number) & 0x7f
  if (length < 126) return start + 6 + length
  if (length === 126) return left < 4 ? Infinity : start + 8 + bytes.readUInt16BE(start + 2)
  return left < 10 ? Infinity : start + 14 + Number(bytes.readBigUInt64BE(start + 2))
}

/** Turns a client frame into a server frame, by moving the header over the mask. */
function unmaskInPlace(frame: Buffer): Buffer {
  const maskAt = headerLength(frame)
  const mask = frame.subarray(maskAt, maskAt + 4)
  for (let index = maskAt + 4; index < frame.length; index++) {
    frame[index] = (frame[index] as number) ^ (mask[(index - maskAt) & 3] as number)
  }
  const header = Buffer.from(frame.subarray(0, maskAt))
  header[1] = (header[1] as number) & 0x7f
  header.copy(frame, 4)
  return frame.subarray(4)
}
