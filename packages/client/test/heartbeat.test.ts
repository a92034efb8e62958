import { openClient } from './client.ts'
import { openSite, type Site } from './site.ts'

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] })
})
afterEach(() => {
  jest.useRealTimers()
})

/** Messages that have arrived at the server. */
async function received(site: Site, count: number): Promise<string[]> {
  const messages: string[] = []
  site.sockets[0]?.on('message', (data) => messages.push(String(data)))
  while (messages.length < count) await new Promise(setImmediate)
  return messages
}

test('pings after silence, and gives the connection up after more of it', async () => {
  const site = await openSite()
  const { socket, log, next } = openClient(site.url, { heartbeat: { intervalMs: 1_000, timeoutMs: 500, ping: 'ping' } })
  await next('open')
  const pings = received(site, 1)
  jest.advanceTimersByTime(999)
  jest.advanceTimersByTime(1)
  expect(await pings).toEqual(['ping'])
  jest.advanceTimersByTime(499)
  expect(socket.readyState).toBe(1)
  jest.advanceTimersByTime(1)
  expect(log.slice(2)).toEqual(['waiting', 'error No heartbeat', 'close 1006 0'])
  jest.advanceTimersByTime(10)
  await next('open')
})

test('any message is a sign of life', async () => {
  const site = await openSite()
  const { socket, next } = openClient(site.url, { heartbeat: { intervalMs: 1_000, timeoutMs: 500, ping: 'ping' } })
  await next('open')
  for (const time of [1, 2, 3]) {
    const pings = received(site, 1)
    jest.advanceTimersByTime(1_000)
    await pings
    site.sockets[0]?.send(`pong ${time}`)
    await next('message')
    jest.advanceTimersByTime(500)
    expect(socket.readyState).toBe(1)
  }
})

test('without a ping, the server has to talk', async () => {
  const site = await openSite()
  const { socket, log, next } = openClient(site.url, { heartbeat: { intervalMs: 1_000, timeoutMs: 500 } })
  const server = await site.connection()
  await next('open')
  jest.advanceTimersByTime(900)
  server.send('news')
  await next('message')
  jest.advanceTimersByTime(100 + 1_000)
  expect(socket.readyState).toBe(1)
  jest.advanceTimersByTime(500)
  expect(log.slice(3)).toEqual(['waiting', 'error No heartbeat', 'close 1006 0'])
})

test('a function returns the ping, or sends it', async () => {
  const site = await openSite()
  let count = 0
  const { socket, next } = openClient(site.url, {
    heartbeat: {
      intervalMs: 1_000,
      timeoutMs: 500,
      ping: () => {
        if (++count === 1) return 'returned'
        socket.send('sent')
        return undefined
      }
    }
  })
  await next('open')
  for (const expected of ['returned', 'sent']) {
    const pings = received(site, 1)
    jest.advanceTimersByTime(1_000)
    expect(await pings).toEqual([expected])
    site.sockets[0]?.send('pong')
    await next('message')
    jest.advanceTimersByTime(500)
  }
})

test('ends with the socket', async () => {
  const site = await openSite()
  const { log, next } = openClient(site.url, { heartbeat: { intervalMs: 1_000, timeoutMs: 500 } })
  const server = await site.connection()
  await next('open')
  server.close(4403)
  await next('close')
  const before = [...log]
  jest.advanceTimersByTime(10_000)
  expect(log).toEqual(before)
})

test('ends with its connection', async () => {
  const site = await openSite()
  const { socket, log, next } = openClient(site.url, {
    heartbeat: { intervalMs: 1_000, timeoutMs: 500, ping: 'ping' },
    minDelayMs: 60_000,
    maxDelayMs: 60_000
  })
  const server = await site.connection()
  await next('open')
  server.terminate()
  await next('close')
  jest.spyOn(Math, 'random').mockReturnValue(1)
  log.length = 0
  socket.close()
  await next('close')
  jest.advanceTimersByTime(10_000)
  expect(log).toEqual(['closed', 'close 1006 3'])
  jest.restoreAllMocks()
})
