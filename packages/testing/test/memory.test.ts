import { once } from 'node:events'
import { Line } from '../src/line.ts'
import { MemorySocket } from '../src/memory.ts'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('bytes arrive in a later turn, in order, and as they were when they were sent', async () => {
  const { client, server } = MemorySocket.pair()
  const got: string[] = []
  server.on('data', (chunk) => got.push(String(chunk)))
  const bytes = Buffer.from('one')
  client.write(bytes)
  bytes.fill('x')
  client.write('two')
  client.write('three')
  expect(got).toEqual([])
  await turn()
  expect(got).toEqual(['one', 'two', 'three'])
  expect([client.bytesWritten, server.bytesRead]).toEqual([11, 11])
})

test('what a peer does not read waits with the sender above 1 MiB', async () => {
  const { client, server } = MemorySocket.pair()
  const piece = Buffer.alloc(524_288)
  for (let count = 0; count < 8; count++) client.write(piece)
  for (let count = 0; count < 8; count++) await turn()
  expect(server.readableLength).toBeGreaterThanOrEqual(1_048_576)
  expect(server.readableLength).toBeLessThan(2_097_152)
  expect(client.writableLength).toBeGreaterThanOrEqual(2_097_152)
  server.resume()
  await once(client, 'drain')
  await turn()
  expect([server.bytesRead, client.writableLength]).toEqual([4_194_304, 0])
})

test('both ends can write a lot before they read', async () => {
  const { client, server } = MemorySocket.pair()
  const piece = Buffer.alloc(500_000)
  client.end(piece)
  server.end(piece)
  await Promise.all([once(client, 'finish'), once(server, 'finish')])
  expect([client.writableLength, server.writableLength]).toEqual([0, 0])
})

test('what was written before the end arrives, and a client ends its side too', async () => {
  const { client, server } = MemorySocket.pair()
  let got = ''
  client.on('data', (chunk) => {
    got += String(chunk)
  })
  server.resume()
  server.write('one')
  server.destroySoon()
  await once(client, 'close')
  expect(got).toBe('one')
  expect(server.destroyed).toBe(true)
})

test('a server may answer a client that has ended its side', async () => {
  const { client, server } = MemorySocket.pair()
  client.end('question')
  server.resume()
  await once(server, 'end')
  server.end('answer')
  const [answer] = await once(client, 'data')
  expect(String(answer)).toBe('answer')
})

test('what was written before an end is destroyed arrives, and further writes fail', async () => {
  const { client, server } = MemorySocket.pair()
  client.write('last words')
  client.destroy()
  const [words] = await once(server, 'data')
  expect(String(words)).toBe('last words')
  await once(server, 'end')
  server.write('too late')
  const [error] = await once(server, 'error')
  expect(error.code).toBe('EPIPE')
})

test('a write that waits for the peer finishes when the peer is gone', async () => {
  const { client, server } = MemorySocket.pair()
  client.write(Buffer.alloc(2_097_152))
  client.end()
  server.destroy()
  await once(client, 'finish')
})

test('a line takes the same time for each of 200,000 parcels, at both ends', async () => {
  const line = new Line()
  line.isFrozen = true
  let count = 0
  for (let carried = 0; carried < 200_000; carried++) line.carry(() => count++)
  await turn()
  expect(count).toBe(0)
  line.isFrozen = false
  for (let carried = 0; carried < 200_000; carried++) line.carry(() => count++)
  while (count < 400_000) await turn()
  expect(count).toBe(400_000)
})

test('after a reset, nothing arrives any more, and both ends report it', async () => {
  const { client, server } = MemorySocket.pair()
  const errors = Promise.all([once(client, 'error'), once(server, 'error')])
  const got: unknown[] = []
  server.on('data', (chunk) => got.push(chunk))
  client.write('lost')
  client.reset()
  expect((await errors).map(([{ code }]) => code)).toEqual(['ECONNRESET', 'ECONNRESET'])
  await turn()
  expect(got).toEqual([])
})

test('an end learns that its peer has failed when that arrives, with the error', async () => {
  const { client, server } = MemorySocket.pair()
  server.line.isFrozen = true
  server.fail(new Error('no route'))
  await turn()
  client.write('into the void')
  expect(client.destroyed).toBe(false)
  server.line.isFrozen = false
  await expect(once(client, 'end')).rejects.toThrow('no route')
})

test('a line that is cut delivers nothing of what it carries', async () => {
  const line = new Line()
  const got: string[] = []
  line.carry(() => got.push('under way'))
  line.cut()
  line.carry(() => got.push('too late'))
  await turn()
  expect(got).toEqual([])
})
