import { openClient } from './client.ts'
import { openSite, type Site } from './site.ts'

/** What the server got in its next connection. */
async function messagesOf(site: Site): Promise<[text: string, isBinary: boolean][]> {
  const messages: [string, boolean][] = []
  const socket = await site.connection()
  await new Promise((resolve) =>
    socket.on('message', (data, isBinary) => {
      messages.push([String(data), isBinary])
      if (String(data) === 'last') resolve(0)
    })
  )
  return messages
}

const invalidState = expect.objectContaining({ name: 'InvalidStateError', code: 11 })

test('without a queue, send() throws while there is no connection', async () => {
  const site = await openSite()
  const { socket, next } = openClient(site.url, { minDelayMs: 1_000, maxDelayMs: 1_000 })
  expect(() => socket.send('early')).toThrow(invalidState)
  const server = await site.connection()
  await next('open')
  server.terminate()
  await next('close')
  expect(() => socket.send('away')).toThrow(invalidState)
})

test('a queue keeps what is sent meanwhile, in order and in its form', async () => {
  const site = await openSite()
  const { socket, next } = openClient(site.url, { queue: {} })
  const buffer = new Uint8Array([65, 66, 67, 68])
  socket.send('text')
  socket.send(buffer.buffer)
  socket.send(buffer.subarray(1, 3))
  socket.send(new DataView(buffer.buffer, 2))
  socket.send(new Blob(['blob']))
  expect(socket.bufferedAmount).toBe(4 + 4 + 2 + 2 + 4)
  buffer.fill(90)
  const messages = messagesOf(site)
  socket.addEventListener('open', () => socket.send('last'))
  await next('open')
  expect(await messages).toEqual([
    ['text', false],
    ['ABCD', true],
    ['BC', true],
    ['CD', true],
    ['blob', true],
    ['last', false]
  ])
})

test('a queue takes so many messages', async () => {
  const site = await openSite()
  const { socket } = openClient(site.url, { queue: { messages: 2 } })
  socket.send('one')
  socket.send('last')
  expect(() => socket.send('three')).toThrow(invalidState)
  expect(await messagesOf(site)).toEqual([
    ['one', false],
    ['last', false]
  ])
})

test('a queue takes so many bytes of UTF-8', async () => {
  const site = await openSite()
  const { socket } = openClient(site.url, { queue: { bytes: 9 } })
  socket.send('äöü')
  expect(() => socket.send('äö')).toThrow(invalidState)
  socket.send('abc')
  expect(() => socket.send('d')).toThrow(invalidState)
  expect(socket.bufferedAmount).toBe(9)
})

test('nothing is sent twice', async () => {
  const site = await openSite()
  const { socket, next } = openClient(site.url, { queue: {} })
  socket.send('once')
  const server = await site.connection()
  await next('open')
  server.terminate()
  await next('close')
  socket.send('last')
  expect(await messagesOf(site)).toEqual([['last', false]])
})

test('the queue is gone at the end', async () => {
  const site = await openSite()
  const { socket, next } = openClient(site.url, { queue: {} })
  socket.send('dropped')
  socket.close()
  await next('close')
  expect(socket.bufferedAmount).toBe(0)
  socket.reconnect()
  socket.send('last')
  expect(await messagesOf(site)).toEqual([['last', false]])
})
