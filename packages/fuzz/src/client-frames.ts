import { clientFrame, type FrameOptions } from '@oneport/adapter-testsuite/parts'
import type { Random } from '@oneport/kit'

/** A client frame, masked with zeros or unmasked. Strings hold bytes as latin1. */
export const frame = (
  opcode: number,
  payload: string,
  { masked = true, ...options }: FrameOptions & { readonly masked?: boolean } = {}
): string =>
  clientFrame(opcode, Buffer.from(payload, 'latin1'), masked ? options : { ...options, mask: [] }).toString('latin1')

const closePayload = (code: number, reason = ''): string =>
  Buffer.from([code >> 8, code & 255]).toString('latin1') + reason

/** A close frame with code 1000. */
export const closeFrame: string = frame(8, closePayload(1000))

type Maker = (random: Random) => string

const makers: readonly Maker[] = [
  (random) => frame(1, 'hello'.repeat(random.below(4))),
  (random) => frame(2, random.bytes(random.pick([0, 1, 125, 126, 127, 1_000]))),
  (random) => frame(9, random.bytes(random.pick([0, 4, 125]))),
  (random) => frame(10, random.bytes(4)),
  (random) => frame(1, 'a', { final: false }) + frame(9, '') + frame(0, random.bytes(3)),
  () => closeFrame,
  // Close frames with invalid payloads.
  (random) => frame(8, closePayload(random.pick([0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65_535]))),
  (random) => frame(8, random.pick(['\x03', closePayload(1000, '\xff\xfe'), closePayload(1000, 'a'.repeat(124))])),
  // Reserved opcodes and bits.
  (random) => frame(random.pick([3, 4, 5, 6, 7, 11, 12, 13, 14, 15]), 'x'),
  (random) => frame(random.pick([0, 1, 2, 8, 9, 10]), random.bytes(5), { reserved: random.between(1, 7) }),
  // Frames without a mask; stray fragments; invalid control frames.
  () => frame(1, 'bare', { masked: false }),
  () => frame(0, 'nothing goes on'),
  () => frame(1, 'a', { final: false }) + frame(1, 'b'),
  () => frame(9, '', { final: false }),
  () => frame(9, 'a'.repeat(126)),
  // Invalid UTF-8.
  (random) => frame(1, random.pick(['\xff', '\xc0\x80', '\xed\xa0\x80', '\xf4\x90\x80\x80', '\xe2\x82'])),
  // Lengths that are too large, or longer than the data that follows.
  (random) => frame(2, 'x', { announced: random.pick([126, 65_536, 1_048_577, 2 ** 31, 2 ** 53, 2 ** 63]) }),
  (random) => frame(2, 'a'.repeat(random.pick([65_535, 65_536, 200_000]))),
  () => frame(1, '').repeat(200),
  (random) => frame(2, random.bytes(40)).slice(0, random.between(1, 45)),
  (random) => random.bytes(random.between(1, 200)),
  () => 'GET / HTTP/1.1\r\nHost: app.example\r\n\r\n'
]

/** One to four frames, or something else in their place. */
export const anyFrames = (random: Random): string =>
  Array.from({ length: random.between(1, 4) }, () => random.pick(makers)(random)).join('')
