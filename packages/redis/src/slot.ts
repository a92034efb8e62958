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

/** For each slot that was needed, or found on the way, a short text that has it. */
const tags = new Map<number, string>()
let nextTag = 0

/** The hash tag of keys that belong to a slot. A topic can't be one, because it may contain braces. */
export function tagOf(slot: number): string {
  for (; !tags.has(slot); nextTag++) {
    const tag = `{${nextTag}}`
    const found = slotOf(tag)
    if (!tags.has(found)) tags.set(found, tag)
  }
  return tags.get(slot) as string
}

/** The slot of a sharded channel, computed as for a key: from the part in its first braces, if it has any. */
export function slotOf(channel: string): number {
  const begin = channel.indexOf('{')
  const end = begin === -1 ? -1 : channel.indexOf('}', begin + 1)
  const hashed = end > begin + 1 ? channel.slice(begin + 1, end) : channel
  return crc16(Buffer.from(hashed)) % slots
}
