import { clientFrame, handshake, maskedText, opcodes, openRaw, signal, type Target } from '@oneport/test-kit'
import { within } from './within.ts'

/** The payload of a close frame: 1000. */
const normalClosure = Buffer.from([0x03, 0xe8])

/**
 * Sends a handshake together with the first frame in one packet, a second frame when the first is echoed, and a close
 * frame after that. @returns the echoed frames, in order
 */
export async function framesBack(target: Target, path: string, meanwhile?: () => Promise<void>): Promise<string[]> {
  const raw = await openRaw(target)
  try {
    let text = ''
    const [first, second] = [signal(), signal()]
    const ended = new Promise<void>((resolve) => raw.once('close', () => resolve()))
    raw.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      if (text.includes('first')) first.give()
      if (text.includes('second')) second.give()
    })
    raw.write(Buffer.concat([Buffer.from(handshake(path)), maskedText('first')]))
    await meanwhile?.()
    await within('the first frame is echoed', first.given)
    raw.write(maskedText('second'))
    await within('the second frame is echoed', second.given)
    raw.write(clientFrame(opcodes.close, normalClosure))
    await within('the connection ends', ended)
    return text.match(/first|second/g) ?? []
  } finally {
    raw.destroy()
  }
}
