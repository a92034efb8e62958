import type { Random } from '@oneport/kit'

/** Bytes of a message that fills the buffers of slow clients, and which part of a topic's messages are so big. */
const bigBytes = 65_536
const bigPart = 0.2

/**
 * A payload that no other message has: short or long text, with line breaks of all kinds, or bytes.
 * @param mayBeBig whether some messages fill the buffers of slow clients
 */
export function payloadOf(name: string, mayBeBig: boolean, random: Random): string | Buffer {
  if (mayBeBig && random.chance(bigPart)) return `${name} ${'x'.repeat(bigBytes)}`
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
