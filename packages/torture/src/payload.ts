import type { Random } from './random.ts'

/** Bytes of a message that fills the buffers of slow clients. */
const bigBytes = 65_536

/** A payload that no other message has: short or long text, with line breaks of all kinds, or bytes. */
export function payloadOf(name: string, isBig: boolean, random: Random): string | Buffer {
  if (isBig) return `${name} ${'x'.repeat(bigBytes)}`
  switch (random.below(8)) {
    case 0:
      return `${name}\nwith lines\n\n`
    case 1:
      return `${name}\r\nwith lines\r`
    case 2:
      return Buffer.from(`${name} \xff\n\x00`, 'latin1')
    case 3:
      return `${name} ${'ü'.repeat(random.below(2_000))}`
    default:
      return name
  }
}
