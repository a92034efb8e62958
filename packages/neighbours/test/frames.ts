import { handshake, openRaw, type Target } from '@oneport/test-kit'
import { gate } from '../src/gate.ts'
import { within } from './within.ts'

/** The payload of a close frame: 1000. */
const normalClosure = Buffer.from([0x03, 0xe8])

/** A frame of a client, shorter than 126 bytes and masked with zeros. */
function frame(firstByte: number, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from([firstByte, 0x80 | payload.length, 0, 0, 0, 0]), payload])
}

/**
 * Sends a handshake with the first frame behind it in one packet, a second frame when that has come back, and the close
 * when that has. @returns which of them came back, in order
 */
export async function framesBack(target: Target, path: string, meanwhile?: () => Promise<void>): Promise<string[]> {
  const raw = await openRaw(target)
  try {
    let text = ''
    const [first, second] = [gate(), gate()]
    const ended = new Promise<void>((resolve) => raw.once('close', () => resolve()))
    raw.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      if (text.includes('first')) first.open()
      if (text.includes('second')) second.open()
    })
    raw.write(Buffer.concat([Buffer.from(handshake(path)), frame(0x81, Buffer.from('first'))]))
    await meanwhile?.()
    await within('the first frame comes back', first.opened)
    raw.write(frame(0x81, Buffer.from('second')))
    await within('the second frame comes back', second.opened)
    raw.write(frame(0x88, normalClosure))
    await within('the connection ends', ended)
    return text.match(/first|second/g) ?? []
  } finally {
    raw.destroy()
  }
}
