const slots = 16_384

/** The polynomial of CRC-16/XMODEM. https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#appendix-a-crc16-reference-implementation-in-ansi-c */
const polynomial = 0x1021

function crc16(bytes: Uint8Array): number {
  let crc = 0
  for (const byte of bytes) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ polynomial
    crc &= 0xffff
  }
  return crc
}

/** The slot of a sharded channel, computed as for a key: from the part in its first braces, if it has any. */
export function slotOf(channel: string): number {
  const begin = channel.indexOf('{')
  const end = begin === -1 ? -1 : channel.indexOf('}', begin + 1)
  const hashed = end > begin + 1 ? channel.slice(begin + 1, end) : channel
  return crc16(Buffer.from(hashed)) % slots
}
