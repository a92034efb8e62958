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

test('an end reads what its peer wrote before it was destroyed, and then the end', async () => {
  const [writer, reader] = ends()
  writer.write('one')
  writer.write('two')
  writer.destroy()
  expect(String(Buffer.concat(await reader.toArray()))).toBe('onetwo')
})

test('destroying one end ends the other, without an error', async () => {
  const [writer, reader] = ends()
  writer.destroy()
  reader.on('end', () => reader.end())
  reader.resume()
  await once(reader, 'close')
  expect(reader.errored).toBeNull()
})

test('a write fails if the other end is destroyed, even one that waited', async () => {
  const [writer, reader] = ends()
  const failures = [Buffer.alloc(reader.readableHighWaterMark), 'two'].map(
    (data) => new Promise((resolve) => writer.write(data, resolve))
  )
  writer.on('error', () => {})
  reader.destroy()
  expect(await failures[1]).toMatchObject({ code: 'EPIPE' })
})

test('what is written may change afterwards', async () => {
  const [writer, reader] = ends()
  const data = Buffer.from('one')
  writer.write(data)
  data.fill('x')
  expect(String((await once(reader, 'data'))[0])).toBe('one')
})
