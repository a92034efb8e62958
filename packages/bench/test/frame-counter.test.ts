import { opcodes, serverFrame } from '@oneport/adapter-testsuite/parts'
import { FrameCounter } from '../src/generator/frame-counter.ts'

const frames = Buffer.concat([
  serverFrame(opcodes.text, Buffer.from('')),
  serverFrame(opcodes.text, Buffer.alloc(200)),
  serverFrame(opcodes.ping, Buffer.alloc(3)),
  serverFrame(opcodes.binary, Buffer.alloc(70_000)),
  serverFrame(opcodes.text, Buffer.from('last'))
])

test.each([1, 2, 3, 7, 100_000])('counts the messages in pieces of %d bytes, and no ping', (size) => {
  const counter = new FrameCounter()
  for (let at = 0; at < frames.length; at += size) counter.take(frames.subarray(at, at + size))
  expect(counter.messages).toBe(4)
})

test('keeps nothing of a chunk whose memory gets the next one', () => {
  const counter = new FrameCounter()
  const memory = Buffer.alloc(1)
  for (const byte of frames) {
    memory[0] = byte
    counter.take(memory)
  }
  expect(counter.messages).toBe(4)
})

test('notes a close frame', () => {
  const counter = new FrameCounter()
  counter.take(frames)
  expect(counter.isClosed).toBe(false)
  counter.take(serverFrame(opcodes.close, Buffer.from([0x03, 0xf5])))
  expect(counter.isClosed).toBe(true)
})

test('counts a message when its last byte has arrived', () => {
  const counter = new FrameCounter()
  const frame = serverFrame(opcodes.text, Buffer.from('hello'))
  counter.take(frame.subarray(0, -1))
  expect(counter.messages).toBe(0)
  counter.take(frame.subarray(-1))
  expect(counter.messages).toBe(1)
})
