import { once } from 'node:events'
import { createServer } from 'node:http'
import { memorySockets } from '../../src/fastify-websocket/memory-socket.ts'

const ends = () => memorySockets(createServer())

test('what one end writes the other reads, in order and in a later turn', async () => {
  const [writer, reader] = ends()
  const read: string[] = []
  reader.on('data', (chunk) => read.push(String(chunk)))
  writer.write('one')
  writer.write('')
  writer.write('two')
  expect(read).toEqual([])
  writer.end('three')
  await once(reader, 'end')
  expect(read).toEqual(['one', 'two', 'three'])
})

test('a write waits for an end that does not read', async () => {
  const [writer, reader] = ends()
  const full = Buffer.alloc(reader.readableHighWaterMark)
  let written = 0
  for (let count = 0; count < 2; count++) writer.write(full, () => written++)
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate)
  expect(written).toBe(0)
  reader.resume()
  while (written < 2) await new Promise(setImmediate)
  expect(reader.readableLength).toBe(0)
})

test('an end that has ended its side may still read', async () => {
  const [writer, reader] = ends()
  writer.end()
  reader.resume()
  await once(reader, 'end')
  reader.end('still there')
  expect(String((await once(writer, 'data'))[0])).toBe('still there')
})

test('destroying one end destroys the other, without an error', async () => {
  const [writer, reader] = ends()
  writer.destroy()
  await once(reader, 'close')
  expect(reader.errored).toBeNull()
})
