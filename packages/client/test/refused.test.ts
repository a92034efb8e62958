import { openClient } from './client.ts'
import { openSite, type Site } from './site.ts'

/** Answers handshakes and ordinary requests with these statuses. */
const refuse =
  (handshake: number, ordinary = handshake): NonNullable<Site['answer']> =>
  (req, res) =>
    res.writeHead(req.headers.upgrade === undefined ? ordinary : handshake).end('no')

/** `ws` and Chromium want a subprotocol to be chosen if one is offered, and the token is not. */
const withToken = { subprotocols: ['v1'], bearerSubprotocol: 'bearer.' }

describe('a close code', () => {
  test.each([
    [1008, 'Closed: 1008 too many messages', 'too many messages'],
    [4403, 'Closed: 4403 banned', 'banned'],
    [4403, 'Closed: 4403', ''],
    [4401, 'Closed: 4401', '']
  ])('%i stops with the error "%s"', async (code, message, reason) => {
    const site = await openSite()
    const { socket, log, next } = openClient(site.url)
    const server = await site.connection()
    await next('open')
    server.close(code, reason)
    const { error } = await next('error')
    expect([error.message, error.code, socket.error]).toEqual([message, code, error])
    expect(log.slice(2)).toEqual(['closed', `error ${message}`, `close ${code} 3`])
  })

  test('1000 ends it: the server is done', async () => {
    const site = await openSite()
    const { socket, log, next } = openClient(site.url)
    const server = await site.connection()
    await next('open')
    server.close(1000, 'bye')
    await next('close')
    expect(log.slice(2)).toEqual(['closed', 'close 1000 3'])
    expect(socket.error).toBeUndefined()
  })

  test.each([undefined, 1002, 1009, 1011, 3000, 4400, 4408, 4429, 4999])(
    '%s is followed by another connection',
    async (code) => {
      const site = await openSite()
      const { next } = openClient(site.url)
      const server = await site.connection()
      await next('open')
      server.close(code)
      await next('open')
      expect(site.handshakes).toHaveLength(2)
    }
  )

  test('4401 asks for another token, and says that the last one was refused', async () => {
    const site = await openSite(withToken)
    const asked: boolean[] = []
    const { next } = openClient(site.url, { token: ({ refused }) => `token-${asked.push(refused)}` }, 'v1')
    for (const count of [1, 2]) {
      const server = await site.connection()
      server.terminate()
      await next('close')
      expect(asked).toHaveLength(count)
    }
    ;(await site.connection()).close(4401)
    await site.connection()
    expect(asked).toEqual([false, false, false, true])
    expect(site.handshakes.at(-1)?.headers.authorization).toBe('Bearer token-4')
  })

  test('4401 for the new token too stops', async () => {
    const site = await openSite(withToken)
    const { log, next } = openClient(site.url, { token: () => 'same' }, 'v1')
    for (const _time of [1, 2]) (await site.connection()).close(4401)
    await next('error')
    expect(log.slice(-3)).toEqual(['closed', 'error Closed: 4401', 'close 4401 3'])
    expect(site.handshakes).toHaveLength(2)
  })

  test('4401 is forgotten by reconnect()', async () => {
    const site = await openSite(withToken)
    const asked: boolean[] = []
    const { socket, next } = openClient(site.url, { token: ({ refused }) => `token-${asked.push(refused)}` }, 'v1')
    for (const _time of [1, 2]) (await site.connection()).close(4401)
    await next('error')
    socket.reconnect()
    await next('open')
    expect(asked).toEqual([false, true, false])
  })

  test('4401 after a connection that ended otherwise asks again', async () => {
    const site = await openSite(withToken)
    const asked: boolean[] = []
    openClient(site.url, { token: ({ refused }) => `token-${asked.push(refused)}` }, 'v1')
    for (const code of [4401, 4000, 4401]) (await site.connection()).close(code)
    await site.connection()
    expect(asked).toEqual([false, true, false, true])
  })
})

describe('a refused handshake', () => {
  const asking = { fetch: globalThis.fetch }

  test.each([401, 403, 404])('stops with an error if an ordinary request gets %i', async (status) => {
    const site = await openSite()
    site.answer = refuse(status)
    const { socket, log, next } = openClient(site.url, asking)
    const { error } = await next('error')
    expect([error.message, error.code]).toEqual([`Refused: ${status}`, status])
    expect([socket.readyState, ...log]).toEqual([3, 'closed', `error Refused: ${status}`, 'close 1006 3'])
  })

  test('goes on after a 426, and stops after two in a row', async () => {
    const site = await openSite()
    site.answer = refuse(400, 426)
    const { log, next } = openClient(site.url, asking)
    await next('close')
    expect(log.filter((entry) => /^error|closed/.test(entry))).toEqual([
      'error Unexpected server response: 400',
      'closed',
      'error Refused: 426'
    ])
    expect(site.handshakes).toHaveLength(2)
  })

  test.each(['maxConnections', 'maxConnectionsPerAddress'])('waits for a place while %s is reached', async (limit) => {
    const site = await openSite({ [limit]: 1, onRefused() {} })
    const { socket: first, next: ofFirst } = openClient(site.url)
    await ofFirst('open')
    const { next } = openClient(site.url, asking)
    for (const _time of [1, 2, 3]) await next('error')
    first.close()
    await next('open')
  })

  test('goes on if the endpoint was only starting', async () => {
    const site = await openSite()
    site.answer = refuse(400, 426)
    const { next } = openClient(site.url, asking)
    await next('error')
    site.answer = undefined
    await next('open')
  })

  test.each([200, 302, 429, 500, 502, 503])('goes on if an ordinary request gets %i', async (status) => {
    const site = await openSite()
    site.answer = refuse(503, status)
    const { next } = openClient(site.url, asking)
    await next('error')
    await next('error')
    site.answer = undefined
    await next('open')
    expect(site.requests).toHaveLength(2)
    // Nothing between may answer instead of the server.
    expect(site.requests[0]?.headers['cache-control']).toBe('no-cache')
  })

  test.each([404, 426])('goes on after a %i if there has been a connection', async (status) => {
    const site = await openSite()
    const { next } = openClient(site.url, asking)
    const server = await site.connection()
    await next('open')
    site.answer = refuse(status)
    server.terminate()
    for (const _time of [1, 2, 3]) await next('error')
    site.answer = undefined
    await next('open')
  })

  test.each([401, 403])('stops after a %i also if there has been a connection', async (status) => {
    const site = await openSite()
    const { socket, next } = openClient(site.url, asking)
    const server = await site.connection()
    await next('open')
    site.answer = refuse(status)
    server.terminate()
    await next('error')
    expect(socket).toMatchObject({ state: 'closed', error: { code: status } })
  })

  test('asks for another token after a 401, which it sends in both ways', async () => {
    const site = await openSite(withToken)
    site.answer = refuse(401)
    const asked: boolean[] = []
    const { next } = openClient(site.url, { ...asking, token: ({ refused }) => `token-${asked.push(refused)}` }, 'v1')
    await next('error')
    site.answer = undefined
    await next('open')
    expect(asked).toEqual([false, true])
    expect([...site.handshakes, ...site.requests].map(({ headers }) => headers.authorization)).toEqual([
      'Bearer token-1',
      'Bearer token-2',
      'Bearer token-1'
    ])
  })

  test('says nothing if nobody answers', async () => {
    const site = await openSite()
    await site.stop()
    const { next } = openClient(site.url, asking)
    await next('error')
    await site.start()
    await next('open')
  })

  test('is asked about with a function of yours', async () => {
    const site = await openSite()
    site.answer = (req, res) => res.writeHead(req.headers.cookie === 'sid=1' ? 403 : 401).end()
    const withCookie: typeof fetch = (url, init) => fetch(url, { ...init, headers: { cookie: 'sid=1' } })
    const { next } = openClient(site.url, { fetch: withCookie })
    expect((await next('error')).error.message).toBe('Refused: 403')
  })

  test('is not asked about with `fetch: false`, nor without retries', async () => {
    const site = await openSite()
    site.answer = refuse(403)
    const { next } = openClient(site.url, { maxRetries: 1 })
    await next('close')
    const other = openClient(site.url, { ...asking, maxRetries: 0 })
    await other.next('close')
    expect([site.handshakes.length, site.requests.length]).toEqual([3, 0])
  })

  test('whose question is not answered is a failed attempt', async () => {
    const site = await openSite()
    site.answer = (req, res) => {
      if (req.headers.upgrade !== undefined) res.writeHead(503).end()
    }
    const { log, next } = openClient(site.url, { ...asking, connectTimeoutMs: 50 })
    await next('error')
    expect(log).toEqual(['waiting', 'error Timed out'])
  })

  test('whose question is not answered can be closed', async () => {
    const site = await openSite()
    const asked = new Promise((resolve) => {
      site.answer = (req, res) => {
        if (req.headers.upgrade !== undefined) res.writeHead(503).end()
        else req.once('close', resolve)
      }
    })
    const { socket, log, next } = openClient(site.url, asking)
    while (site.requests.length === 0) await new Promise(setImmediate)
    socket.close()
    await next('close')
    await asked
    expect(log).toEqual(['closed', 'close 1006 3'])
  })
})
