import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { AcceptOptions } from '@oneport/core'
import { connectClient, takePrinted } from '@oneport/test-kit'
import { createTopics, type Topics, type TopicsAccess } from '../src/index.ts'
import { atEnd, stopAll } from './pair.ts'

const later = (): Promise<boolean> => new Promise((resolve) => setTimeout(resolve, 3, true))

/** Allows everything: for the topic `slow` later, otherwise at once. */
export const access: TopicsAccess = {
  mayRead: (topic) => topic !== 'slow' || later(),
  mayPublish: (topic) => topic !== 'slow' || later()
}

/** Creates a server that serves topics at `/topics`, and whose middleware sets `X-Middleware`. */
export type Make = (topics: Topics, options: AcceptOptions) => Server | Promise<Server>

async function start(make: Make, options: AcceptOptions = {}) {
  const topics = createTopics({ history: {} })
  const server = await make(topics, options)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const left = new AbortController()
  atEnd(async () => {
    left.abort()
    await topics.close()
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  })
  const url = `http://127.0.0.1:${port}/topics`
  const ask = (query: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${url}?${query}`, { signal: left.signal, ...init })
  return { topics, port, ask, origin: `http://127.0.0.1:${port}` }
}

/** Reads a stream until it has a text. */
async function until(response: Response, wanted: string): Promise<string> {
  let text = ''
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    text += Buffer.from(chunk).toString()
    if (text.includes(wanted)) return text
  }
  throw new Error(`Expected ${wanted}; got ${text}`)
}

/**
 * The tests that `serveTopics` of every framework passes.
 * @param logged the log since the last call
 */
export function describeServeTopics(name: string, make: Make, { isPlain = false, logged = takePrinted } = {}): void {
  describe(`serveTopics on ${name}`, () => {
    afterEach(stopAll)

    test('one URL serves WebSockets, streams, polls and POST', async () => {
      const { topics, port, ask, origin } = await start(make)
      const { socket, next, response } = await connectClient({ port }, '/topics', ['oneport.topics.1'], { origin })
      if (!isPlain) expect(response.headers['x-middleware']).toBe('yes')
      socket.send('subscribe - news')
      const [, epoch] = String(await next()).split(' ')

      const stream = await ask('topic=news', { headers: { Accept: 'text/event-stream' } })
      expect(stream.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
      if (!isPlain) expect(stream.headers.get('x-middleware')).toBe('yes')

      const headers = { Origin: origin, 'Content-Type': 'text/plain' }
      const posted = await ask('topic=news&id=1', { method: 'POST', body: 'hello', headers })
      expect([posted.status, await posted.json()]).toEqual([200, { offset: 1 }])
      const type = { Origin: origin, 'Content-Type': 'application/octet-stream' }
      const binary = await ask('topic=news&id=2', { method: 'POST', body: Buffer.from([255]), headers: type })
      expect(await binary.json()).toEqual({ offset: 2 })

      expect(await next()).toBe('message 1 news\nhello')
      expect(await until(stream, 'event: base64')).toContain(`id: ${epoch}:1\ndata: message 1 news\ndata: hello\n\n`)
      const polled = (await (await ask(`topic=news&since=${epoch}:0`)).json()) as { since: string; answers: unknown[] }
      expect(polled.since).toBe(`${epoch}:2`)
      expect(polled.answers.slice(0, 2)).toEqual([`subscribed ${epoch} 0 resumed news`, 'message 1 news\nhello'])
      socket.terminate()
      while (topics.stats().served > 1) await new Promise(setImmediate)
    })

    test('a response says how long it is: without that, Node takes one that is cut off for complete', async () => {
      const { topics, ask, origin } = await start(make)
      topics.publish('news', 'hëllo')
      const answers = [
        await ask('topic=news&since=all'),
        await ask('topic=news&id=1', { method: 'POST', body: 'hi', headers: { Origin: origin } }),
        await ask('since=all')
      ]
      const lengths = answers.map(({ headers }) => headers.get('content-length'))
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 400])
      expect(lengths).toEqual(
        await Promise.all(answers.map(async (each) => `${(await each.arrayBuffer()).byteLength}`))
      )
    })

    test('the origin rule holds for all of it', async () => {
      const { port, ask, topics } = await start(make)
      const headers = { Origin: 'https://evil.example' }
      await expect(
        connectClient({ port }, '/topics', ['oneport.topics.1'], { origin: headers.Origin })
      ).rejects.toMatchObject({ statusCode: 403 })
      const answers = [
        await ask('topic=news', { headers }),
        await ask('topic=news', { headers: { ...headers, Accept: 'text/event-stream' } }),
        await ask('topic=news&id=1', {
          method: 'POST',
          body: 'hello',
          headers: { ...headers, 'Content-Type': 'text/plain' }
        }),
        // As for <script src> on another site.
        await ask('topic=news', { headers: { 'Sec-Fetch-Site': 'cross-site' } }),
        await ask('topic=news', { headers: { 'Sec-Fetch-Site': 'same-site' } })
      ]
      expect(answers.map(({ status }) => status)).toEqual([403, 403, 403, 403, 403])
      expect(topics.stats()).toMatchObject({ published: 0, served: 0 })
      expect(logged().filter((line) => line.includes('HANDSHAKE_ORIGIN'))).toHaveLength(6)
      const same = await ask('topic=news', { headers: { 'Sec-Fetch-Site': 'same-origin' } })
      expect(same.status).toBe(200)
    })

    test('another origin may connect if the endpoint allows it', async () => {
      const { ask } = await start(make, { allowedOrigins: ['https://app.example'] })
      expect((await ask('topic=news', { headers: { Origin: 'https://app.example' } })).status).toBe(200)
      expect((await ask('topic=news', { headers: { Origin: 'https://evil.example' } })).status).toBe(403)
      logged()
    })

    test('a client without the subprotocol is refused', async () => {
      const { port } = await start(make)
      await expect(connectClient({ port }, '/topics')).rejects.toMatchObject({ statusCode: 400 })
    })

    test('security: a stream ends when its credential expires, and later requests are refused', async () => {
      let due: number | undefined
      const { topics, ask } = await start(make, {
        key: 'ada',
        // From the first request on: some frameworks take their time to start.
        get expiresAt() {
          due ??= Date.now() + 300
          return due
        }
      })
      const stream = await ask('topic=news', { headers: { Accept: 'text/event-stream' } })
      expect(await stream.text()).toMatch(/\nretry: \d{4}\n\n$/)
      expect((await ask('topic=news')).status).toBe(403)
      expect(topics.stats()).toMatchObject({ subscriptions: 0, httpClients: 0 })
    })

    test('security: a text that is not UTF-8 is not published, whoever has read it', async () => {
      const { topics, ask, origin } = await start(make)
      const headers = { Origin: origin, 'Content-Type': 'text/plain' }
      const post = async (id: number, body: string | Uint8Array<ArrayBuffer>) =>
        (await ask(`topic=news&id=${id}`, { method: 'POST', body, headers })).status
      expect(await post(1, new Uint8Array([0x61, 0xff]))).toBe(400)
      expect(topics.stats().published).toBe(0)
      expect(await post(2, '\ufffd')).toBe(200)
    })

    test('security: clients that leave at any moment leave nothing behind', async () => {
      const { topics, ask, origin } = await start(make)
      const { since } = (await (await ask('topic=slow')).json()) as { since: string }
      const headers = { Origin: origin, 'Content-Type': 'text/plain' }
      const kinds: [query: string, init: RequestInit][] = [
        ['topic=slow', { headers: { Accept: 'text/event-stream' } }],
        [`topic=slow&since=${since}`, {}],
        ['topic=slow&id=', { method: 'POST', body: 'hello', headers }]
      ]
      const leaving = Array.from({ length: 90 }, async (_, index) => {
        const left = new AbortController()
        const [query, init] = kinds[index % 3] as (typeof kinds)[number]
        const asked = ask(query.endsWith('id=') ? query + index : query, { ...init, signal: left.signal })
        for (let count = 0; count < index / 4; count++) await new Promise(setImmediate)
        left.abort()
        await asked.then((response) => response.body?.cancel()).catch(() => {})
      })
      await Promise.all(leaving)
      while (topics.stats().httpClients > 0) await new Promise(setImmediate)
      expect(topics.stats()).toMatchObject({ subscriptions: 0, served: 0, sockets: 0 })
      expect((await ask('topic=news')).status).toBe(200)
      logged()
    })

    test('a client that leaves ends its stream', async () => {
      const { topics, ask } = await start(make)
      const left = new AbortController()
      const stream = await ask('topic=news', { headers: { Accept: 'text/event-stream' }, signal: left.signal })
      await until(stream, 'subscribed')
      left.abort()
      while (topics.stats().served > 0) await new Promise(setImmediate)
      expect(topics.stats()).toMatchObject({ subscriptions: 0, httpClients: 0 })
    })
  })
}
