import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, request, type Server } from 'node:http'
import { connect as connectHttp2, createServer as createHttp2Server, type Http2Server } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { pipeline, type Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import {
  createTopics,
  type RespondClient,
  type Topics,
  type TopicsAccess,
  type TopicsOptions,
  type TopicsResponse
} from '../src/index.ts'
import { atEnd, stopAll } from './pair.ts'

afterEach(stopAll)

const all: TopicsAccess = { mayRead: () => true, mayPublish: () => true }

interface Event {
  readonly type: string
  readonly data: string
  readonly id: string | undefined
}

/** Reads Server-Sent Events as the specification says. */
async function* eventsOf(response: Response): AsyncGenerator<Event | { retry: number } | 'comment'> {
  let rest = ''
  const decoder = new TextDecoder()
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    rest += decoder.decode(chunk, { stream: true })
    for (let end = rest.indexOf('\n\n'); end !== -1; end = rest.indexOf('\n\n')) {
      const lines = rest.slice(0, end).split(/\r\n|\r|\n/)
      rest = rest.slice(end + 2)
      const fields = (name: string) =>
        lines.filter((line) => line.startsWith(`${name}: `)).map((line) => line.slice(name.length + 2))
      if (lines.every((line) => line.startsWith(':'))) yield 'comment'
      else if (fields('retry').length > 0) yield { retry: Number(fields('retry')[0]) }
      else yield { type: fields('event')[0] ?? 'message', data: fields('data').join('\n'), id: fields('id')[0] }
    }
  }
}

interface Started {
  readonly topics: Topics
  readonly server: Server | Http2Server
  readonly url: string
  fetch(query: string, init?: RequestInit): Promise<Response>
  poll(query: string): Promise<{ status: number; since: string; answers: unknown[] }>
  /** Opens a stream and reads past the first comment. */
  stream(query: string, headers?: Record<string, string>): Promise<{ response: Response; next(): Promise<Event> }>
}

async function start(
  given: TopicsOptions | Topics = { history: {} },
  access: Partial<TopicsAccess> = {},
  create: (listener: (req: IncomingMessage, res: never) => void) => Server | Http2Server = createServer as never,
  clientOf: () => RespondClient = () => ({})
): Promise<Started> {
  const topics = 'publish' in given ? given : createTopics(given)
  const server = create((req, res: import('node:http').ServerResponse) => {
    topics.respond(req, { ...all, ...access }, undefined, clientOf()).then(
      ({ status, headers, body }) => {
        res.writeHead(status, headers)
        if (typeof body === 'string') res.end(body)
        else pipeline(body, res, () => {})
      },
      () => res.destroy()
    )
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const leave = new AbortController()
  atEnd(async () => {
    leave.abort()
    await topics.close()
    const closed = once(server.close(), 'close')
    // Connections that were opened ahead and have had no request.
    if ('closeAllConnections' in server) server.closeAllConnections()
    await closed
  })
  const ask = (query: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${url}?${query}`, { signal: leave.signal, ...init })
  return {
    topics,
    server,
    url,
    fetch: ask,
    async poll(query) {
      const response = await ask(query)
      return { status: response.status, ...((await response.json()) as { since: string; answers: unknown[] }) }
    },
    async stream(query, headers = {}) {
      const response = await ask(query, { headers: { Accept: 'text/event-stream', ...headers } })
      const events = eventsOf(response)
      expect(await events.next()).toEqual({ value: 'comment', done: false })
      return { response, next: async () => (await events.next()).value as Event }
    }
  }
}

describe('a stream', () => {
  test('has the answers of the protocol as events, with its positions as their ids', async () => {
    const { topics, stream } = await start()
    const { response, next } = await stream('topic=news')
    expect(response.status).toBe(200)
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no'
    })
    const { data, id } = await next()
    const [, epoch] = data.split(' ')
    expect({ data, id }).toEqual({ data: `subscribed ${epoch} 0 new news`, id: `${epoch}:0` })
    topics.publish('news', 'hello\n\nworld\n')
    expect(await next()).toEqual({ type: 'message', data: 'message 1 news\nhello\n\nworld\n', id: `${epoch}:1` })
    topics.publish('news', '')
    expect(await next()).toMatchObject({ data: 'message 2 news\n', id: `${epoch}:2` })
  })

  test('keeps carriage returns, and carries binary messages', async () => {
    const { topics, stream } = await start()
    const { next } = await stream('topic=news')
    await next()
    topics.publish('news', 'a\r\nb\rc')
    const { type, data } = await next()
    expect([type, JSON.parse(data)]).toEqual(['json', 'message 1 news\na\r\nb\rc'])
    topics.publish('news', Buffer.from([0, 10, 13, 255]))
    const binary = await next()
    expect([binary.type, Buffer.from(binary.data, 'base64').toString('latin1')]).toEqual([
      'base64',
      'message 2 news\n\0\n\r\xff'
    ])
  })

  test('goes on behind Last-Event-ID, in each of its topics', async () => {
    const { topics, stream } = await start()
    const first = await stream('topic=a&topic=b%20c')
    await first.next()
    const { id = '' } = await first.next()
    topics.publish('a', '1')
    topics.publish('b c', '2')
    const again = await stream('topic=a&topic=b%20c&since=all', { 'Last-Event-ID': id })
    const [a, b] = id.split(',') as [string, string]
    const got = [await again.next(), await again.next(), await again.next(), await again.next()]
    expect(got.map(({ data }) => data)).toEqual([
      `subscribed ${a.replace(':', ' ')} resumed a`,
      'message 1 a\n1',
      `subscribed ${b.replace(':', ' ')} resumed b c`,
      'message 1 b c\n2'
    ])
    expect(got.at(-1)?.id).toBe(`${a.replace(':0', ':1')},${b.replace(':0', ':1')}`)
  })

  test('regression: an ID that is received before all topics are subscribed keeps the positions of the others', async () => {
    let allow = (_allowed: boolean): void => {}
    const mayRead = (topic: string) => topic === 'a' || new Promise<boolean>((resolve) => (allow = resolve))
    const { stream } = await start({ history: {} }, { mayRead })
    const { next } = await stream('topic=a&topic=b&topic=c', { 'Last-Event-ID': 'x:1,y:2,all' })
    expect((await next()).id).toMatch(/^[\w.]+:0,y:2,all$/)
    allow(true)
  })

  test('has refused subscriptions as events', async () => {
    const { stream } = await start({}, { mayRead: async (topic) => topic === 'mine' })
    const { next } = await stream('topic=yours&topic=mine')
    expect(await next()).toEqual({ type: 'message', data: 'error forbidden subscribe - yours', id: undefined })
    expect(await next()).toMatchObject({ data: 'subscribed - - new mine' })
  })

  test('shows presence if asked', async () => {
    const { stream } = await start({}, { presence: { id: 'ada' } })
    const { next } = await stream('topic=news&presence')
    await next()
    expect((await next()).data).toBe('present news\n[]')
    expect((await next()).data).toBe('joined news\n{"id":"ada"}')
  })

  test('leaves nothing behind when the client leaves', async () => {
    const { topics, url } = await start()
    const left = new AbortController()
    await fetch(`${url}?topic=news`, { headers: { Accept: 'text/event-stream' }, signal: left.signal })
    expect(topics.stats()).toMatchObject({ subscriptions: 1, httpClients: 1, served: 1 })
    left.abort()
    while (topics.stats().served > 0) await delay(5)
    expect(topics.stats()).toMatchObject({ subscriptions: 0, sockets: 0, httpClients: 0 })
  })

  test('of a client that reads slowly goes on from the history', async () => {
    const { topics, url } = await start({ history: { messages: 10_000 }, maxBufferedBytes: 300_000 })
    const asked = request(`${url}?topic=news`, { headers: { Accept: 'text/event-stream' }, agent: false }).end()
    const [response] = (await once(asked, 'response')) as [IncomingMessage]
    const payload = 'x'.repeat(10_000)
    for (let count = 1; count <= 1_000; count++) topics.publish('news', payload)
    let text = ''
    for await (const chunk of response) {
      text += chunk
      if (text.includes('message 1000 news')) break
    }
    const offsets = [...text.matchAll(/^data: message (\d+) news$/gm)].map(([, offset]) => Number(offset))
    expect(offsets).toEqual(Array.from({ length: 1_000 }, (_, index) => index + 1))
  })

  test('regression: a message on which a slow client catches up was sent twice', async () => {
    const topics = createTopics({ history: {}, maxBufferedBytes: 10_000 })
    const server = createServer()
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const { port } = server.address() as AddressInfo
    const asked = request({ port, path: '/?topic=news', headers: { Accept: 'text/event-stream' } }).on(
      'error',
      () => {}
    )
    asked.end()
    atEnd(async () => {
      await topics.close()
      asked.destroy()
      await once(server.close(), 'close')
    })
    const [req] = (await once(server, 'request')) as [IncomingMessage]
    const body = (await topics.respond(req, all)).body as Readable
    const payload = 'x'.repeat(10_000)
    for (let count = 1; count <= 5; count++) topics.publish('news', payload)
    // Now there is room again, and the client is behind until the next message.
    let text = ''
    for (let count = 6; count <= 20; count++) {
      text += body.read()
      topics.publish('news', 'short')
    }
    text += body.read()
    const offsets = [...text.matchAll(/^data: message (\d+) news$/gm)].map(([, offset]) => Number(offset))
    expect(offsets).toEqual(Array.from({ length: 20 }, (_, index) => index + 1))
  })

  test('ends when the server closes, and tells its client to come back after a random time', async () => {
    const { server, stream } = await start()
    const { next } = await stream('topic=news')
    await next()
    const closed = once(server.close(), 'close')
    const { retry } = (await next()) as unknown as { retry: number }
    expect(retry).toBeGreaterThanOrEqual(1_000)
    expect(retry).toBeLessThanOrEqual(5_000)
    await closed
    server.listen(0, '127.0.0.1')
  })

  test('regression: stays open on a server that is handed its connections, and so never listens', async () => {
    const { server, stream, topics } = await start()
    Object.defineProperty(server, 'listening', { configurable: true, value: false })
    const { next } = await stream('topic=news')
    await next()
    // Longer than it takes to notice a server that closes.
    await delay(1_200)
    topics.publish('news', 'hello')
    expect((await next()).data).toBe('message 1 news\nhello')
    Reflect.deleteProperty(server, 'listening')
  })

  test('ends when its key is revoked', async () => {
    const { topics, stream } = await start({}, { key: 'ada' })
    const { next } = await stream('topic=news')
    await next()
    expect(topics.revoke('ada')).toBe(1)
    expect(await next()).toHaveProperty('retry')
    expect(await next()).toBeUndefined()
  })

  test('works over HTTP/2, and leaves nothing behind when its stream is reset', async () => {
    const { topics, url } = await start({}, {}, createHttp2Server as never)
    const session = connectHttp2(url)
    atEnd(() => session.destroy())
    const stream = session.request({ ':path': '/?topic=news', accept: 'text/event-stream' })
    const [headers] = await once(stream, 'response')
    expect(headers[':status']).toBe(200)
    let text = ''
    for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
      text += chunk
      if (text.includes('subscribed')) break
    }
    topics.publish('news', 'hello')
    expect(String((await once(stream, 'data'))[0])).toBe('data: message - news\ndata: hello\n\n')
    stream.close()
    while (topics.stats().httpClients > 0) await delay(5)
    expect(topics.stats().subscriptions).toBe(0)
  })
})

describe('a poll', () => {
  test('without a position is answered at once, with where the client is', async () => {
    const { topics, poll } = await start()
    topics.publish('news', 'early')
    const { since, answers } = await poll('topic=news')
    const [epoch] = since.split(':')
    expect([since, answers]).toEqual([`${epoch}:1`, [`subscribed ${epoch} 1 new news`]])
  })

  test('regression: with presence it was answered only after 25 seconds', async () => {
    const { poll } = await start({ history: {} }, { presence: { id: 'ada' } })
    const { answers } = await poll('topic=news&presence')
    expect(answers).toEqual([
      expect.stringMatching(/^subscribed .* new news$/),
      'present news\n[]',
      'joined news\n{"id":"ada"}'
    ])
  })

  test('regression: with presence, a client that was far behind was refused for ever', async () => {
    const { topics, poll } = await start(
      { history: { messages: 100 }, maxBufferedBytes: 10_000 },
      { presence: { id: 'ada' } }
    )
    for (let count = 1; count <= 50; count++) topics.publish('news', 'x'.repeat(1_000))
    for (let since = 'all'; !since.endsWith(':50'); ) {
      const polled = await poll(`topic=news&presence&since=${since}`)
      expect(polled.status).toBe(200)
      expect(Number(polled.since.split(':')[1])).toBeGreaterThan(Number(since.split(':')[1] ?? 0))
      since = polled.since
    }
    topics.publish('news', 'a')
    const { answers } = await poll('topic=news&presence')
    expect(answers).toContain('present news\n[{"id":"ada"}]')
  })

  test('regression: where more are present than there is room for, nobody who polls got a message', async () => {
    const topics = createTopics({ history: {}, maxBufferedBytes: 10_000 })
    const crowd = Array.from({ length: 20 }, (_, index) => ({ id: `member ${index}`, info: 'x'.repeat(1_000) }))
    for (const presence of crowd) {
      const { stream } = await start(topics, { presence })
      const { next } = await stream('topic=news')
      expect((await next()).data).toMatch(/^subscribed /)
    }
    topics.publish('news', 'a')
    const { poll } = await start(topics)
    const { answers } = await poll('topic=news&presence&since=all')
    expect(answers).toContain('message 1 news\na')
    const present = answers.map(String).find((answer) => answer.startsWith('present ')) ?? ''
    expect(JSON.parse(present.split('\n')[1] ?? '')).toEqual(crowd)
  })

  test('is answered with what there was room for, if more is published at once', async () => {
    const { topics, poll } = await start({ maxBufferedBytes: 10_000 })
    const polled = poll('topic=news')
    while (topics.subscribers('news').length === 0) await delay(1)
    const message = 'x'.repeat(1_000)
    for (let count = 1; count <= 50; count++) topics.publish('news', message)
    const { status, answers } = await polled
    expect(status).toBe(200)
    expect(answers.length).toBeGreaterThan(4)
    expect(answers.slice(1).every((answer) => answer === `message - news\n${message}`)).toBe(true)
    expect(topics.stats()).toMatchObject({ closed: 1, subscriptions: 0 })
  })

  test('regression: clients that poll left and joined with each poll, and woke each other', async () => {
    const topics = createTopics({ history: {} })
    const join = async (id: string): Promise<Started> => start(topics, { presence: { id } }, createServer as never)
    const [ada, bob] = [await join('ada'), await join('bob')]
    const { next } = await bob.stream('topic=news&presence')
    expect((await next()).data).toMatch(/^subscribed/)
    expect((await next()).data).toBe('present news\n[]')
    expect((await next()).data).toBe('joined news\n{"id":"bob"}')
    const { since } = await ada.poll('topic=news&presence')
    expect((await next()).data).toBe('joined news\n{"id":"ada"}')
    const waiting = ada.poll(`topic=news&presence&since=${since}`)
    for (let count = 0; count < 3; count++) await ada.poll('topic=news&presence')
    topics.publish('news', 'a')
    expect((await waiting).answers).toEqual([
      expect.stringMatching(/^subscribed/),
      'present news\n[{"id":"bob"},{"id":"ada"}]',
      'message 1 news\na'
    ])
    expect((await next()).data).toBe('message 1 news\na')
    // As if ten seconds had gone by.
    const now = performance.now.bind(performance)
    jest.spyOn(performance, 'now').mockImplementation(() => now() + 10_000)
    expect((await next()).data).toBe('left news\n{"id":"ada"}')
    jest.mocked(performance.now).mockRestore()
    expect(topics.stats().presence).toBe(1)
  })

  test('for everything is answered at once, even if there is nothing', async () => {
    const { poll } = await start()
    const { since, answers } = await poll('topic=news&since=all')
    const [epoch] = since.split(':')
    expect([since, answers]).toEqual([`${epoch}:0`, [`subscribed ${epoch} 0 new news`]])
  })

  test('with a position waits for the next message', async () => {
    const { topics, poll } = await start()
    const { since } = await poll('topic=news')
    const polled = poll(`topic=news&since=${since}`)
    while (topics.stats().httpClients === 0) await delay(5)
    topics.publish('news', 'a')
    topics.publish('news', 'b')
    const { since: after, answers } = await polled
    expect(after).toBe(since.replace(':0', ':2'))
    expect(answers.slice(1)).toEqual(['message 1 news\na', 'message 2 news\nb'])
    expect(topics.stats()).toMatchObject({ httpClients: 0, served: 0, subscriptions: 0 })
  })

  test('gets at once what was published between two polls', async () => {
    const { topics, poll } = await start()
    const { since } = await poll('topic=news')
    topics.publish('news', Buffer.from([255]))
    const { answers } = await poll(`topic=news&since=${since}`)
    expect(answers[1]).toEqual({ base64: Buffer.from('message 1 news\n\xff', 'latin1').toString('base64') })
  })

  test('gets so much at a time as fits, and the rest with the next', async () => {
    const { topics, poll } = await start({ history: {}, maxBufferedBytes: 5_000 })
    let { since } = await poll('topic=news')
    for (let count = 1; count <= 20; count++) topics.publish('news', 'x'.repeat(1_000))
    const offsets: number[] = []
    while (offsets.length < 20) {
      const polled = await poll(`topic=news&since=${since}`)
      since = polled.since
      expect(polled.answers.length).toBeLessThan(10)
      for (const answer of polled.answers.slice(1)) offsets.push(Number(String(answer).split(' ')[1]))
    }
    expect(offsets).toEqual(Array.from({ length: 20 }, (_, index) => index + 1))
  })

  test('is told of a gap', async () => {
    const { poll } = await start()
    const { answers } = await poll('topic=news&since=other:7')
    expect(answers[0]).toMatch(/^subscribed \S+ 0 gap news$/)
  })

  test('is told what is forbidden', async () => {
    const { poll } = await start({}, { mayRead: async () => false })
    expect(await poll('topic=news')).toMatchObject({
      status: 200,
      since: '-',
      answers: ['error forbidden subscribe - news']
    })
  })

  test('is never cached', async () => {
    const { headers } = await (await start()).fetch('topic=news')
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('x-content-type-options')).toBe('nosniff')
  })

  test('leaves nothing behind when the client leaves', async () => {
    const { topics, url } = await start({})
    const left = new AbortController()
    const polled = fetch(`${url}?topic=news`, { signal: left.signal }).catch(() => {})
    while (topics.stats().httpClients === 0) await delay(5)
    left.abort()
    await polled
    while (topics.stats().httpClients > 0) await delay(5)
    expect(topics.stats()).toMatchObject({ served: 0, subscriptions: 0 })
  })

  test('is answered with 503 when topics close, and with 401 when its key is revoked', async () => {
    const { topics, fetch } = await start({}, { key: 'ada' })
    const [first] = [fetch('topic=news')]
    while (topics.stats().httpClients === 0) await delay(5)
    topics.revoke('ada')
    expect((await first).status).toBe(401)
    const second = fetch('topic=news')
    while (topics.stats().httpClients === 0) await delay(5)
    await topics.close()
    const { status, headers } = await second
    expect(status).toBe(503)
    expect(headers.get('retry-after')).toMatch(/^[1-5]$/)
    expect((await fetch('topic=news')).status).toBe(503)
  })

  test('beyond maxHttpClients gets 503, and a stream ends at once', async () => {
    const { fetch, stream } = await start({ maxHttpClients: 1 })
    await stream('topic=news')
    expect((await fetch('topic=news')).status).toBe(503)
    const response = await fetch('topic=news', { headers: { Accept: 'text/event-stream' } })
    expect([response.status, await response.text()]).toEqual([200, expect.stringMatching(/^retry: \d{4}\n\n$/)])
  })

  test('security: one address gets a quarter of maxHttpClients', async () => {
    const addresses = ['198.51.100.1', '198.51.100.1', '198.51.100.2']
    let asked = 0
    const { topics, fetch } = await start({ history: {}, maxHttpClients: 7 }, {}, undefined, () => ({
      address: addresses[asked++]
    }))
    const open = () => fetch('topic=news', { headers: { Accept: 'text/event-stream' } })
    addresses.push('198.51.100.1', '198.51.100.1', '198.51.100.1', '198.51.100.2')
    const streams = [await open(), await open(), await open()]
    expect(topics.stats().http.streams).toBe(3)
    const poll = await fetch('topic=news')
    expect([poll.status, poll.headers.get('retry-after')]).toEqual([429, expect.stringMatching(/^[1-5]$/)])
    expect((await fetch('topic=news&id=1', { method: 'POST', body: 'hello' })).status).toBe(429)
    expect(await (await open()).text()).toMatch(/^retry: \d{4}\n\n$/)
    expect((await fetch('topic=news')).status).toBe(200)
    await streams[0]?.body?.cancel()
    while (topics.stats().http.streams > 2) await delay(5)
    addresses.push('198.51.100.1')
    expect((await fetch('topic=news')).status).toBe(200)
    expect(topics.stats().http.refused).toEqual({ 429: 3 })
  })

  test.each([
    [401, 401],
    [429, 429],
    [503, 503]
  ])('whose signal is aborted with %i is refused with it, before and while it waits', async (reason, status) => {
    let stop = new AbortController()
    const { topics, fetch } = await start({ history: {} }, {}, undefined, () => ({ signal: stop.signal }))
    const { since } = (await (await fetch('topic=news')).json()) as { since: string }
    const polling = fetch(`topic=news&since=${since}`)
    const stream = await fetch('topic=news', { headers: { Accept: 'text/event-stream' } })
    while (topics.stats().httpClients < 2) await delay(5)
    stop.abort(reason)
    expect((await polling).status).toBe(reason === 401 ? 401 : 503)
    expect(await stream.text()).toMatch(/\nretry: \d{4}\n\n$/)
    expect((await fetch('topic=news')).status).toBe(status)
    expect((await fetch('topic=news&id=1', { method: 'POST', body: 'hello' })).status).toBe(status)
    const ended = await fetch('topic=news', { headers: { Accept: 'text/event-stream' } })
    expect([ended.status, await ended.text()]).toEqual([200, expect.stringMatching(/^retry: \d{4}\n\n$/)])
    expect(topics.stats()).toMatchObject({ httpClients: 0, published: 0 })
    stop = new AbortController()
    expect((await fetch('topic=news')).status).toBe(200)
  })
})

describe('a POST', () => {
  test('publishes text', async () => {
    const { topics, fetch, stream } = await start()
    const { next } = await stream('topic=news')
    await next()
    const response = await fetch('topic=news&id=1', { method: 'POST', body: 'hello' })
    expect([response.status, await response.json()]).toEqual([200, { offset: 1 }])
    expect((await next()).data).toBe('message 1 news\nhello')
    expect(await (await fetch('topic=news&id=1', { method: 'POST', body: 'hello' })).json()).toEqual({ offset: 1 })
    expect(topics.stats()).toMatchObject({ published: 1, served: 1 })
  })

  test('publishes bytes as a binary message', async () => {
    const { fetch, stream } = await start()
    const { next } = await stream('topic=news')
    await next()
    const headers = { 'Content-Type': 'application/octet-stream' }
    await fetch('topic=news&id=1', { method: 'POST', body: Buffer.from([255]), headers })
    expect((await next()).type).toBe('base64')
  })

  test('has no offset without history', async () => {
    const response = await (await start({})).fetch('topic=news&id=1', { method: 'POST', body: 'hello' })
    expect(await response.json()).toEqual({ offset: null })
  })

  test.each([
    ['forbidden', () => false, 403],
    ['not decided', () => Promise.reject(new Error('no database')), 503]
  ])('that is %s is not published', async (_kind, mayPublish, status) => {
    const { topics, fetch } = await start({}, { mayPublish })
    expect((await fetch('topic=news&id=1', { method: 'POST', body: 'hello' })).status).toBe(status)
    expect(topics.stats().published).toBe(0)
  })

  test.each([
    ['no topic', 'id=1', 'hello', 400],
    ['no id', 'topic=news', 'hello', 400],
    ['a wrong id', 'topic=news&id=a%20b', 'hello', 400],
    ['text that is not UTF-8', 'topic=news&id=1', Buffer.from([255]), 400],
    ['a body that is too large', 'topic=news&id=1', 'x'.repeat(1_001), 413]
  ])('with %s is refused', async (_kind, query, body, status) => {
    const { fetch } = await start({ maxBodyBytes: 1_000 })
    const response = await fetch(query, { method: 'POST', body })
    expect(response.status).toBe(status)
    expect(await response.json()).toHaveProperty('message')
  })

  test('whose client leaves while mayPublish decides leaves nothing behind', async () => {
    const { topics, url } = await start({ history: {} }, { mayPublish: () => new Promise(() => {}) })
    const left = new AbortController()
    const posted = fetch(`${url}?topic=news&id=1`, { method: 'POST', body: 'a', signal: left.signal }).catch(() => {})
    while (topics.stats().httpClients === 0) await delay(5)
    left.abort()
    await posted
    while (topics.stats().served > 0) await delay(5)
    expect(topics.stats()).toMatchObject({ httpClients: 0, published: 0 })
  })

  test('whose client leaves within the body is not published, and rejects nothing', async () => {
    const topics = createTopics({})
    const responses: Promise<TopicsResponse>[] = []
    const server = createServer((req) => void responses.push(topics.respond(req, all)))
    await once(server.listen(0, '127.0.0.1'), 'listening')
    atEnd(async () => void (await once(server.close(), 'close')))
    const { port } = server.address() as AddressInfo
    const posting = request({ port, method: 'POST', path: '/?topic=news&id=1', agent: false })
    posting.on('error', () => {})
    posting.write('half')
    while (responses.length === 0) await delay(1)
    posting.destroy()
    expect(await responses[0]).toMatchObject({ status: 400 })
    expect(topics.stats()).toMatchObject({ published: 0, served: 0 })
  })

  test('with a body that grows too large is refused while it is read', async () => {
    const { url } = await start({ maxBodyBytes: 1_000 })
    const posting = request(`${url}?topic=news&id=1`, { method: 'POST', agent: false })
    posting.on('error', () => {})
    posting.write('x'.repeat(600))
    await delay(0)
    posting.write('x'.repeat(600))
    const [response] = (await once(posting, 'response')) as [IncomingMessage]
    expect(response.statusCode).toBe(413)
    posting.destroy()
  })
})

test.each([
  ['of unknown length', {}],
  ['of a known length', { 'Content-Length': 5_000_000 }]
])(
  'regression: a client with a body that is too large, %s, was cut off before it had the answer',
  async (_name, headers) => {
    const { url } = await start({ maxBodyBytes: 1_000 })
    const agent = new Agent({ keepAlive: true })
    atEnd(() => agent.destroy())
    const posting = request(`${url}?topic=news&id=1`, { method: 'POST', agent, headers })
    for (let count = 0; count < 50; count++) posting.write('x'.repeat(100_000))
    posting.end()
    const [response] = (await once(posting, 'response')) as [IncomingMessage]
    expect(response.statusCode).toBe(413)
    response.resume()
    await once(response, 'end')
  }
)

test.each([
  'topic=',
  'topic',
  'topic=a%00',
  '',
  'topic=a&topic=a',
  'topic=a&since=x',
  'topic=a&since=x:1,y:1',
  Array.from({ length: 101 }, (_, index) => `topic=${index}`).join('&')
])('refuses the query %j', async (query) => {
  const { fetch } = await start()
  expect((await fetch(query)).status).toBe(400)
  expect((await fetch(query, { headers: { Accept: 'text/event-stream' } })).status).toBe(400)
})

test('refuses other methods', async () => {
  const response = await (await start()).fetch('topic=news', { method: 'DELETE' })
  expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, POST'])
})

describe.each(['revoke', 'a signal'])(
  'security: a message that mayPublish has not decided when %s ends the login',
  (by) => {
    test('is not published', async () => {
      const stop = new AbortController()
      let decide = (_allowed: boolean): void => {}
      const access = { key: 'ada', mayPublish: () => new Promise<boolean>((resolve) => (decide = resolve)) }
      const { topics, fetch } = await start({ history: {} }, access, undefined, () => ({ signal: stop.signal }))
      const posted = fetch('topic=news&id=1', { method: 'POST', body: 'hello' })
      while (topics.stats().http.publishing === 0) await delay(5)
      if (by === 'revoke') topics.revoke('ada')
      else stop.abort(401)
      expect((await posted).status).toBe(401)
      decide(true)
      await delay(5)
      expect(topics.stats()).toMatchObject({ published: 0, httpClients: 0 })
    })
  }
)

describe('monitoring', () => {
  /** What is published on the channels of this process while a test runs. */
  function listen(): Record<'accepted' | 'refused' | 'closed', Record<string, unknown>[]> {
    const seen = { accepted: [], refused: [], closed: [] }
    for (const [name, messages] of Object.entries(seen) as [string, object[]][]) {
      const take = (message: unknown): void => void messages.push(message as object)
      subscribe(`oneport:http-client:${name}`, take)
      atEnd(() => void unsubscribe(`oneport:http-client:${name}`, take))
    }
    return seen
  }

  test('counts the clients, and tells of each', async () => {
    const seen = listen()
    const { topics, fetch, poll } = await start(
      { history: {} },
      { key: 'ada', mayPublish: (topic) => topic === 'news' }
    )
    const left = new AbortController()
    const headers = { Accept: 'text/event-stream' }
    await fetch('topic=news', { headers, signal: left.signal })
    const { since } = await poll('topic=news')
    const polling = fetch(`topic=news&since=${since}`)
    while (topics.stats().http.polls === 0) await delay(5)
    expect(topics.stats()).toMatchObject({
      httpClients: 2,
      http: { streams: 1, polls: 1, publishing: 0, accepted: 3, refused: {} }
    })
    left.abort()
    while (topics.stats().http.streams > 0) await delay(5)
    topics.revoke('ada')
    expect((await polling).status).toBe(401)
    await fetch('topic=news&id=1', { method: 'POST', body: 'hello' })
    await fetch('topic=others&id=1', { method: 'POST', body: 'hello' })
    await fetch('id=1', { method: 'POST', body: 'hello' })
    await fetch('topic=news', { method: 'DELETE' })
    expect(topics.stats()).toMatchObject({
      httpClients: 0,
      http: { streams: 0, polls: 0, publishing: 0, accepted: 5, refused: { 400: 1, 401: 1, 403: 1, 405: 1 } }
    })
    expect(seen.accepted.map(({ kind }) => kind)).toEqual(['stream', 'poll', 'poll', 'publish', 'publish'])
    expect(seen.accepted[0]?.request).toMatchObject({ method: 'GET', url: '/?topic=news' })
    expect(seen.refused.map(({ kind, status }) => [kind, status])).toEqual([
      ['poll', 401],
      ['publish', 403],
      ['publish', 400],
      [undefined, 405]
    ])
    expect(seen.closed.map(({ kind, code }) => [kind, code])).toEqual([
      ['poll', 1000],
      ['stream', 1006],
      ['poll', 4401],
      ['publish', 1000],
      ['publish', 1000]
    ])
    expect(seen.closed[1]).toEqual({
      kind: 'stream',
      code: 1006,
      durationMs: expect.any(Number),
      request: { path: '/', address: '127.0.0.1' }
    })
  })

  test('says why a stream was ended', async () => {
    const seen = listen()
    const { topics, server, fetch } = await start({ maxBufferedBytes: 10_000, maxHttpClients: 1 }, { key: 'ada' })
    const open = () => fetch('topic=news', { headers: { Accept: 'text/event-stream' } })
    const revoked = await open()
    await (await open()).text()
    expect(topics.stats().http).toMatchObject({ streams: 1, refused: { 503: 1 } })
    topics.revoke('ada')
    await revoked.text()
    const slow = await open()
    for (let count = 0; count < 1_000; count++) topics.publish('news', 'x'.repeat(10_000))
    await slow.text()
    const closing = await open()
    const closed = once(server.close(), 'close')
    await closing.text()
    await closed
    server.listen(0, '127.0.0.1')
    expect(seen.closed.map(({ kind, code }) => [kind, code])).toEqual([
      ['stream', 4401],
      ['stream', 1013],
      ['stream', 1001]
    ])
  })

  test('does not count a client that has left as refused', async () => {
    const seen = listen()
    const { topics, url } = await start({}, { mayPublish: () => new Promise(() => {}) })
    const left = new AbortController()
    const posted = fetch(`${url}?topic=news&id=1`, { method: 'POST', body: 'a', signal: left.signal }).catch(() => {})
    while (topics.stats().http.publishing === 0) await delay(5)
    left.abort()
    await posted
    while (topics.stats().http.publishing > 0) await delay(5)
    await delay(20)
    expect(topics.stats().http).toMatchObject({ accepted: 1, refused: {} })
    expect(seen.closed).toMatchObject([{ kind: 'publish', code: 1006 }])
  })
})
