import { once } from 'node:events'
import { ReconnectingWebSocket } from '@oneport/client'
import { WebSocket } from 'ws'
import { openClient } from './client.ts'
import { openSite } from './site.ts'

describe('a socket that loses its connection', () => {
  test('connects again', async () => {
    const site = await openSite()
    const { socket, log, next } = openClient(site.url)
    expect([socket.readyState, socket.state]).toEqual([0, 'connecting'])
    const [first] = await Promise.all([site.connection(), next('open')])
    expect([socket.readyState, socket.state, socket.url]).toEqual([1, 'open', site.url])
    first.terminate()
    const second = await site.connection()
    second.send('hello')
    await next('message')
    expect(log).toEqual(['open', 'open', 'waiting', 'close 1006 0', 'connecting', 'open', 'open', 'message hello'])
    socket.close(3000, 'done')
    expect(socket.readyState).toBe(2)
    const [[code, reason], { wasClean }] = await Promise.all([once(second, 'close'), next('close')])
    expect([code, String(reason), wasClean]).toEqual([3000, 'done', true])
    expect([socket.readyState, socket.state, ...log.slice(-2)]).toEqual([3, 'closed', 'closed', 'close 3000 3'])
  })

  test('waits while the server is away, and connects when it is back', async () => {
    const site = await openSite()
    const { socket, log, next } = openClient(site.url, { minDelayMs: 5 })
    await next('open')
    const lost = next('close')
    await site.stop()
    await lost
    for (const attempt of [2, 3, 4]) {
      await next('error')
      expect(socket).toMatchObject({ state: 'waiting', attempt, readyState: 0 })
    }
    await site.start()
    await next('open')
    expect(log.filter((entry) => entry.startsWith('close'))).toEqual(['close 1006 0'])
    expect(log.filter((entry) => entry.startsWith('error'))).toContain(
      `error connect ECONNREFUSED 127.0.0.1:${site.port}`
    )
    expect(socket.error).toBeUndefined()
  })

  test('tells in each event what happens next', async () => {
    const site = await openSite()
    const { socket, next } = openClient(site.url, { minDelayMs: 100, maxDelayMs: 100 })
    const server = await site.connection()
    await next('open')
    const before = Date.now()
    server.terminate()
    const { state, attempt, nextAttempt, error } = await next('statechange')
    expect({ state, attempt, error }).toEqual({ state: 'waiting', attempt: 1, error: undefined })
    expect(nextAttempt).toBeGreaterThanOrEqual(before)
    expect(nextAttempt).toBeLessThanOrEqual(Date.now() + 100)
    expect(socket.nextAttempt).toBe(nextAttempt)
    await next('statechange')
    expect(socket).toMatchObject({ state: 'connecting', nextAttempt: undefined })
  })

  test('dispatches events of its own, with the classes of the platform', async () => {
    const site = await openSite()
    const { socket, next } = openClient(site.url)
    const server = await site.connection()
    server.send('hello')
    const message = await next('message')
    expect(message instanceof MessageEvent && message.target === socket).toBe(true)
    server.close(4000, 'why')
    const close = await next('close')
    expect(close instanceof Event && close.target === socket).toBe(true)
    expect([close.code, close.reason, close.wasClean]).toEqual([4000, 'why', true])
  })
})

describe('delays', () => {
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] })
  })
  afterEach(() => {
    jest.useRealTimers()
    jest.restoreAllMocks()
  })

  /** The random part of each delay is this. */
  const randomIs = (value: number): unknown => jest.spyOn(Math, 'random').mockReturnValue(value)

  test('double up to a ceiling, and are random parts of that', async () => {
    const site = await openSite()
    await site.stop()
    randomIs(0.5)
    const { socket, next } = openClient(site.url, { minDelayMs: 500, maxDelayMs: 3_000 })
    for (const delayMs of [250, 500, 1_000, 1_500, 1_500]) {
      await next('error')
      expect(socket.nextAttempt).toBe(Date.now() + delayMs)
      jest.advanceTimersByTime(delayMs - 1)
      expect(socket.state).toBe('waiting')
      jest.advanceTimersByTime(1)
      expect(socket.state).toBe('connecting')
    }
  })

  test.each([
    [4_999, 3],
    [5_000, 1]
  ])('after a connection of %i ms count %i', async (ms, attempt) => {
    const site = await openSite()
    randomIs(1)
    site.answer = (_req, res) => res.writeHead(503).end()
    const { socket, next } = openClient(site.url, { minDelayMs: 500, maxDelayMs: 60_000 })
    for (const delayMs of [500, 1_000]) {
      await next('error')
      if (delayMs === 1_000) site.answer = undefined
      jest.advanceTimersByTime(delayMs)
    }
    const server = await site.connection()
    await next('open')
    jest.advanceTimersByTime(ms)
    server.terminate()
    await next('close')
    expect(socket).toMatchObject({ attempt, nextAttempt: Date.now() + 500 * 2 ** (attempt - 1) })
  })

  test.each([1001, 1012, 1013])('are spread after close code %i', async (code) => {
    const site = await openSite()
    randomIs(0.5)
    const { socket, next } = openClient(site.url, { minDelayMs: 500, spreadMs: 4_000 })
    const server = await site.connection()
    await next('open')
    server.close(code)
    await next('close')
    expect(socket.nextAttempt).toBe(Date.now() + 5 + 2_000)
  })

  test('may be endless: a timer would end at once', async () => {
    const site = await openSite()
    randomIs(1)
    const { socket, next } = openClient(site.url, {
      minDelayMs: Infinity,
      maxDelayMs: Infinity,
      connectTimeoutMs: Infinity
    })
    const server = await site.connection()
    await next('open')
    server.terminate()
    await next('close')
    jest.advanceTimersByTime(2 ** 31 - 2)
    expect(socket).toMatchObject({ state: 'waiting', nextAttempt: Infinity })
  })

  test('end at once when reconnect() is called', async () => {
    const site = await openSite()
    const { socket, log, next } = openClient(site.url, { minDelayMs: 60_000, maxDelayMs: 60_000 })
    const server = await site.connection()
    await next('open')
    server.terminate()
    await next('close')
    log.length = 0
    socket.reconnect()
    await next('open')
    expect(log).toEqual(['connecting', 'open', 'open'])
  })

  test('are over when the socket is closed', async () => {
    const site = await openSite()
    const { socket, log, next } = openClient(site.url, { minDelayMs: 60_000, maxDelayMs: 60_000 })
    const server = await site.connection()
    await next('open')
    server.terminate()
    await next('close')
    log.length = 0
    socket.close()
    expect(socket.readyState).toBe(2)
    await next('close')
    jest.advanceTimersByTime(60_000)
    expect(log).toEqual(['closed', 'close 1006 3'])
  })
})

describe('close()', () => {
  test('during the handshake ends it', async () => {
    const site = await openSite()
    site.answer = () => {}
    const { socket, log, next } = openClient(site.url)
    socket.close()
    expect(socket.readyState).toBe(2)
    const { wasClean, code } = await next('close')
    expect([wasClean, code, socket.readyState]).toEqual([false, 1006, 3])
    expect(log[0]).toBe('closed')
  })

  test('twice closes once, and send() does nothing then', async () => {
    const site = await openSite()
    const { socket, log, next } = openClient(site.url)
    await next('open')
    socket.close()
    socket.close()
    socket.send('unheard')
    await next('close')
    socket.close()
    socket.send('unheard')
    expect(log.filter((entry) => entry.startsWith('close '))).toEqual(['close 1005 3'])
    expect(site.handshakes).toHaveLength(1)
  })

  test('lets no message through that was on its way', async () => {
    const site = await openSite()
    const { socket, log, next } = openClient(site.url)
    const server = await site.connection()
    await next('open')
    server.send('late')
    socket.close()
    await next('close')
    expect(log).toEqual(['open', 'open', 'closed', 'close 1005 3'])
  })

  test('in a listener is the end', async () => {
    const site = await openSite()
    const { socket, log, next } = openClient(site.url)
    const server = await site.connection()
    await next('open')
    const closed = new Promise((resolve) =>
      socket.addEventListener('close', () => socket.readyState === 3 && resolve(0))
    )
    socket.addEventListener('close', () => socket.close(), { once: true })
    server.terminate()
    await closed
    expect(log).toEqual(['open', 'open', 'waiting', 'close 1006 0', 'closed', 'close 1006 3'])
  })
})

describe('reconnect()', () => {
  test('drops the connection for another one', async () => {
    const site = await openSite()
    const { socket, log, next } = openClient(site.url)
    const server = await site.connection()
    await next('open')
    log.length = 0
    const gone = once(server, 'close')
    socket.reconnect()
    expect([socket.readyState, ...log]).toEqual([0, 'connecting', 'close 1006 0'])
    await Promise.all([gone, next('open')])
  })

  test('comes back from the end', async () => {
    const site = await openSite()
    const { socket, next } = openClient(site.url)
    await next('open')
    socket.close()
    await next('close')
    socket.reconnect()
    await next('open')
    expect(socket.readyState).toBe(1)
  })

  test('while it closes is heard of', async () => {
    const site = await openSite()
    const { socket, log, next } = openClient(site.url)
    await next('open')
    socket.close()
    socket.reconnect()
    await next('open')
    expect(log.filter((entry) => entry.startsWith('close'))).toEqual(['close 1006 0'])
    expect(socket.readyState).toBe(1)
  })
})

describe('what is asked for each attempt', () => {
  test('can be functions: address, subprotocols and token', async () => {
    const site = await openSite({ subprotocols: ['v1'], bearerSubprotocol: 'bearer.' })
    let asked = 0
    const { socket, next } = openClient(
      async ({ attempt }) => `${site.url}?${++asked}&${attempt}`,
      { token: () => Promise.resolve(`token-${asked}`) },
      () => ['v1', 'v2']
    )
    expect(socket.url).toBe('')
    const server = await site.connection()
    await next('open')
    expect([socket.url, socket.protocol]).toEqual([`${site.url}?1&0`, 'v1'])
    server.terminate()
    await site.connection()
    expect(site.handshakes.map(({ url, headers }) => [url, headers.authorization])).toEqual([
      ['/socket?1&0', 'Bearer token-1'],
      ['/socket?2&1', 'Bearer token-2']
    ])
  })

  test('the token can be a value, beside a single subprotocol', async () => {
    const site = await openSite({ subprotocols: ['v1'], bearerSubprotocol: 'auth-' })
    const { socket, next } = openClient(site.url, { token: 'secret', bearerSubprotocol: 'auth-' }, 'v1')
    await next('open')
    expect([site.handshakes[0]?.headers.authorization, socket.protocol]).toEqual(['Bearer secret', 'v1'])
    expect(socket.url).not.toContain('secret')
  })

  test.each([
    [
      'throws',
      () => {
        throw new Error('no token')
      }
    ],
    ['rejects', () => Promise.reject(new Error('no token'))]
  ])('is a failed attempt if it %s', async (_how, fail) => {
    const site = await openSite()
    let calls = 0
    const { log, next } = openClient(site.url, { token: () => (++calls < 3 ? fail() : undefined) })
    await next('open')
    expect(log.slice(0, 2)).toEqual(['waiting', 'error no token'])
    expect(calls).toBe(3)
  })

  test('is a failed attempt if a function returns an address that is none', async () => {
    const site = await openSite()
    const urls = ['http:://', site.url]
    const { log, next } = openClient(() => urls.shift() ?? '')
    await next('open')
    expect(log[1]).toMatch(/^error Invalid URL/)
  })

  test.each([
    ['opens nothing', (answer: (url: string) => void) => answer('ws://127.0.0.1:9')],
    ['is no error', (_answer: unknown, fail: (error: Error) => void) => fail(new Error('late'))]
  ])('%s if it comes after close()', async (_what, settle) => {
    const opened = jest.fn()
    class Counted extends WebSocket {
      constructor(...args: ConstructorParameters<typeof WebSocket>) {
        super(...args)
        opened()
      }
    }
    const settled: Parameters<ConstructorParameters<typeof Promise<string>>[0]>[] = []
    let aborted: AbortSignal | undefined
    const { socket, log, next } = openClient(
      ({ signal }) => {
        aborted = signal
        return new Promise((...both) => settled.push(both))
      },
      { webSocket: Counted }
    )
    await Promise.resolve()
    socket.close()
    await next('close')
    expect(aborted?.aborted).toBe(true)
    for (const both of settled) settle(...both)
    await new Promise(setImmediate)
    expect(opened).not.toHaveBeenCalled()
    expect(log).toEqual(['closed', 'close 1006 3'])
  })

  test.each([
    ['an address', () => new ReconnectingWebSocket('nonsense', [], { webSocket: WebSocket })],
    ['a subprotocol', () => new ReconnectingWebSocket('ws://127.0.0.1:9', ['a b'], { webSocket: WebSocket })]
  ])('throws at once if it is %s that is none', (_what, create) => {
    expect(create).toThrow(SyntaxError)
  })
})

describe('limits', () => {
  test('an attempt may take so long', async () => {
    const site = await openSite()
    site.answer = () => {}
    const { socket, log, next } = openClient(site.url, { connectTimeoutMs: 20 })
    await next('error')
    expect(log).toEqual(['waiting', 'error Timed out'])
    expect(socket.error?.message).toBe('Timed out')
    site.answer = undefined
    await next('open')
  })

  test('a function that never answers is part of it', async () => {
    const { log, next } = openClient(() => new Promise(() => {}), { connectTimeoutMs: 5 })
    await next('error')
    expect(log[1]).toBe('error Timed out')
  })

  test('so many attempts may fail in a row', async () => {
    const site = await openSite()
    await site.stop()
    const { socket, log, next } = openClient(site.url, { maxRetries: 2 })
    await next('close')
    const refused = `error connect ECONNREFUSED 127.0.0.1:${site.port}`
    expect(log).toEqual([
      ...['waiting', refused, 'connecting', 'waiting', refused, 'connecting'],
      ...['closed', refused, 'close 1006 3']
    ])
    expect(socket.error?.message).toMatch('ECONNREFUSED')
  })

  test('with no retries it is a WebSocket', async () => {
    const site = await openSite()
    const { log, next } = openClient(site.url, { maxRetries: 0 })
    const server = await site.connection()
    await next('open')
    server.close(4403)
    await next('close')
    expect(log).toEqual(['open', 'open', 'closed', 'close 4403 3'])
  })

  test('a signal is the end', async () => {
    const site = await openSite()
    const controller = new AbortController()
    const { socket, next } = openClient(site.url, { signal: controller.signal })
    await next('open')
    controller.abort()
    await next('close')
    socket.reconnect()
    expect(socket.readyState).toBe(3)
  })

  test('a signal that is aborted before lets nothing begin', async () => {
    const site = await openSite()
    const { next, log } = openClient(site.url, { signal: AbortSignal.abort() })
    await next('close')
    expect(log).toEqual(['closed', 'close 1006 3'])
    expect(site.handshakes).toEqual([])
  })
})
