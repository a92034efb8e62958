import { opcodes, serverFrame } from '@oneport/adapter-testsuite/parts'
import { FrameReader } from '../src/generator/frame-reader.ts'

const payloads = ['', 'x'.repeat(200), 'y'.repeat(70_000), 'last']
const frames = Buffer.concat([
  serverFrame(opcodes.ping, Buffer.alloc(3)),
  ...payloads.map((payload) => serverFrame(opcodes.text, payload))
])

/** Reads frames in pieces that share one memory. */
function readInPieces(size: number): [opcode: number, payload: string][] {
  const read: [number, string][] = []
  const reader = new FrameReader((opcode, payload) => read.push([opcode, payload.toString()]))
  const memory = Buffer.alloc(size)
  for (let at = 0; at < frames.length; at += size) {
    const length = frames.copy(memory, 0, at, at + size)
    reader.read(memory.subarray(0, length))
  }
  return read
}

test.each([997, 4_096, 100_000])('reads frames in pieces of %d bytes', (size) => {
  const texts = payloads.map((payload) => [opcodes.text, payload])
  expect(readInPieces(size)).toEqual([[opcodes.ping, '\0\0\0'], ...texts])
})

test('reads a frame when its last byte has arrived', () => {
  const read: string[] = []
  const reader = new FrameReader((_opcode, payload) => read.push(payload.toString()))
  for (const byte of serverFrame(opcodes.text, 'hello')) {
    expect(read).toEqual([])
    reader.read(Buffer.from([byte]))
  }
  expect(read).toEqual(['hello'])
})
