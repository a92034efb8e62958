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

test('counts a message when its last byte has arrived', () => {
  const counter = new FrameCounter()
  const frame = serverFrame(opcodes.text, Buffer.from('hello'))
  counter.take(frame.subarray(0, -1))
  expect(counter.messages).toBe(0)
  counter.take(frame.subarray(-1))
  expect(counter.messages).toBe(1)
})
