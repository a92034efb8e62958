import { once } from 'node:events'
import http, { type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import https from 'node:https'
import type { Socket } from 'node:net'
import { certificate, handshake, reset, sendRaw } from '@oneport/test-kit'
import { type AttachOptions, acceptWebSocket, type Dispatch } from '../../src/index.ts'
import { record, until } from '../recorded.ts'
import { open, read, type Served, serve, stopAll } from '../server.ts'

afterEach(stopAll)

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`
const h2c = 'Host: a\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n'
/** A masked frame with the text "hi". */
const frame = '\x81\x82\0\0\0\0hi'

/** More than is read before the handshake is answered. */
const tooMany = frame.repeat(20_000)

/** What waits behind an unfinished response. */
const behind: [name: string, bytes: string][] = [
  ['a handshake', handshake('/chat')],
  ['a handshake and frames', handshake('/chat') + frame.repeat(3)],
  ['a request for another protocol', `GET /page HTTP/1.1\r\n${h2c}\r\n`],
  ['a request for another protocol with a body', `POST /page HTTP/1.1\r\n${h2c}Content-Length: 4\r\n\r\nbody`],
  ['a request for another protocol with half of a body', `POST /page HTTP/1.1\r\n${h2c}Content-Length: 9\r\n\r\nhalf`],
  ['a handshake and more frames than are buffered', handshake('/chat') + tooMany]
]

/** What is in front of it. */
const front: [name: string, paths: readonly string[]][] = [
  ['a response that has not begun', ['/slow']],
  ['Server-Sent Events', ['/events']],
  ['several responses', ['/slow', '/events', '/slow']]
]

const ends: [name: string, end: (raw: Socket) => unknown][] = [
  ['a FIN', (raw) => raw.end()],
  ['a reset', reset]
]

/** An application whose first responses do not end by themselves. */
class Application {
  readonly asked: { req: IncomingMessage; res: ServerResponse; events: readonly string[] }[] = []
  readonly opened: string[] = []

  readonly listener: Dispatch = (req, res) => {
    const { url = '' } = req
    this.asked.push({ req, res, events: record(req, res) })
    if (url === '/chat') {
      return acceptWebSocket(req, res, (socket) => {
        this.opened.push('chat')
        socket.on('message', (data) => socket.send(String(data)))
      })
    }
    if (url === '/events') res.writeHead(200, { 'Content-Type': 'text/event-stream' }).write('data: first\n\n')
    if (url === '/page') req.resume().once('end', () => res.end('page'))
    return undefined
  }

  /** What the requests and responses in front emit. */
  events(count: number): readonly (readonly string[])[] {
    return this.asked.slice(0, count).map(({ events }) => events)
  }
}

const withoutResponse = (events: readonly string[]): readonly string[] =>
  events.filter((event) => !event.startsWith('res')).map((event) => event.replace(' resDestroyed', ''))

const connectionsOf = (server: Server): Promise<number> =>
  new Promise((resolve) => server.getConnections((_error, count) => resolve(count)))

async function makeServer(tls: boolean): Promise<Server> {
  return tls ? https.createServer(await certificate()) : http.createServer()
}

const isWaiting =
  ({ attachment }: Served, count = 1) =>
  () =>
    attachment.stats().pending === count

/** Waits until no connection is left, and all events have been emitted. */
async function untilNothingIsLeft({ server, attachment }: Served): Promise<void> {
  await until(async () => (await connectionsOf(server)) === 0 && attachment.stats().pending === 0)
  await new Promise(setImmediate)
}

/** Starts a server, and connects a client whose last request waits behind the others. */
async function wait(bytes: string, paths: readonly string[], tls = false, options: AttachOptions = {}) {
  const application = new Application()
  const served = await serve(application.listener, { handshakeTimeoutMs: Infinity, ...options }, await makeServer(tls))
  const raw = await open(served.target)
  raw.write(Buffer.from(paths.map(get).join('') + bytes, 'latin1'))
  await until(isWaiting(served))
  await until(() => application.asked.length === paths.length)
  return { application, served, raw }
}

/** What the same requests emit on plain Node, with an ordinary request behind them. */
async function onPlainNode(paths: readonly string[], end: (raw: Socket) => unknown) {
  const application = new Application()
  const server = http.createServer(application.listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const raw = await open({ port: (server.address() as { port: number }).port })
  raw.write(paths.map(get).join('') + get('/plain'))
  await until(() => application.asked.length === paths.length + 1)
  await end(raw)
  await until(async () => (await connectionsOf(server)) === 0)
  await new Promise(setImmediate)
  await once(server.close(), 'close')
  return application.events(paths.length)
}

describe.each([
  ['over TCP', false],
  ['over TLS', true]
])('%s', (_name, tls) => {
  describe.each(front)('behind %s', (_front, paths) => {
    test.each(behind.flatMap(([what, bytes]) => ends.map(([how, end]) => [what, how, bytes, end] as const)))(
      '%s: the server notices %s, as plain Node does',
      async (_what, _how, bytes, end) => {
        // Without reading, the end is not noticed before the deadline.
        const handshakeTimeoutMs = bytes.endsWith(tooMany) ? 100 : Infinity
        const { application, served, raw } = await wait(bytes, paths, tls, { handshakeTimeoutMs })
        await end(raw)
        await until(async () => (await connectionsOf(served.server)) === 0)
        await new Promise(setImmediate)
        expect(served.attachment.stats().pending).toBe(0)
        expect(application.asked).toHaveLength(paths.length)
        const [first, ...others] = application.events(paths.length)
        const [expected, ...expectedOthers] = await onPlainNode(paths, end)
        expect(first).toEqual(expected)
        // Plain Node emits nothing on responses that have not got the connection yet; here they emit `close` too.
        expect(others.map(withoutResponse)).toEqual(expectedOthers.map(withoutResponse))
        for (const events of others) expect(events.join()).toContain('res close')
      }
    )

    test.each(behind)('%s counts as pending, and drain() ends it at its deadline', async (_what, bytes) => {
      const { application, served, raw } = await wait(bytes, paths, tls)
      expect(isWaiting(served)()).toBe(true)
      const ended = read(raw)
      await served.attachment.drain({ deadlineMs: 20 })
      await ended
      await untilNothingIsLeft(served)
      expect(application.asked[0]?.res.destroyed).toBe(true)
      for (const { req } of application.asked) expect(req.aborted).toBe(true)
    })
  })

  test.each(behind.slice(0, 5))('%s is answered once the responses in front of it have ended', async (_what, bytes) => {
    const { application, raw } = await wait(bytes, ['/slow', '/events'], tls)
    const [slow, events] = application.asked
    slow?.res.end('slow')
    events?.res.end('data: last\n\n')
    const isPost = bytes.startsWith('POST')
    if (bytes.endsWith('half')) raw.write(' more')
    const text = await read(raw, (all) => all.includes(bytes.startsWith('GET /chat') ? ' 101 ' : 'page'))
    expect(text).toMatch(
      isPost ? /slow[\s\S]*data: last[\s\S]* 200 [\s\S]*page/ : /slow[\s\S]*data: last[\s\S]* (?:101|200) /
    )
  })

  test.each(behind)(
    '%s stops waiting at handshakeTimeoutMs; the response in front is not affected',
    async (_what, bytes) => {
      const options = { handshakeTimeoutMs: 50, onRefused: () => {} }
      const { application, served, raw } = await wait(bytes, ['/events'], tls, options)
      // By the time a later handshake is refused, the earlier one has expired.
      expect((await sendRaw(served.target, handshake('/hang'))).status).toBe(503)
      const { events, res } = application.asked[0] as (typeof application.asked)[number]
      expect(events).toEqual([])
      expect(isWaiting(served)()).toBe(true)
      res.write('data: second\n\n')
      res.end('data: last\n\n')
      const text = await read(raw)
      expect(text).toMatch(/data: first[\s\S]*data: second[\s\S]*data: last\n\n\r\n0\r\n\r\n$/)
      expect(application.opened).toEqual([])
      expect(events[0]).toMatch(/^res prefinish /)
      expect(events.filter((event) => /aborted|error/.test(event))).toEqual([])
      await until(async () => served.attachment.connections.size === 0 && isWaiting(served, 0)())
    }
  )
})

test('a server that closes ends what waits, even if the response in front never ends', async () => {
  const waiting = [
    await wait(handshake('/chat') + frame, ['/events']),
    await wait(handshake('/chat') + frame, ['/events'], true),
    // One that no longer waits, but would close after the response.
    await wait(handshake('/chat') + frame, ['/events'], false, { handshakeTimeoutMs: 20 })
  ]
  await Promise.all(waiting.map(({ served }) => once(served.server.close(), 'close')))
  for (const { application, served } of waiting) {
    await untilNothingIsLeft(served)
    expect(application.asked[0]?.res.destroyed).toBe(true)
    expect(application.asked[0]?.req.aborted).toBe(true)
  }
  // Longer than the default deadline of a drain.
}, 20_000)

test('a client that waits behind a response is noticed when it leaves, on a server with other listeners too', async () => {
  const application = new Application()
  const server = http.createServer()
  const seen: string[] = []
  server.on('upgrade', () => seen.push('other'))
  const served = await serve(application.listener, { handshakeTimeoutMs: Infinity }, server)
  for (const [, end] of ends) {
    const raw = await open(served.target)
    raw.write(get('/events') + handshake('/chat'))
    await until(isWaiting(served))
    await end(raw)
    await untilNothingIsLeft(served)
  }
  expect(application.asked.map(({ req }) => req.aborted)).toEqual([true, true])
})

test('handshakes beyond maxPendingHandshakes do not wait behind a response', async () => {
  const { application, served } = await wait(handshake('/chat'), ['/events'], false, { maxPendingHandshakes: 1 })
  const second = await open(served.target)
  second.write(get('/events') + handshake('/chat'))
  await until(isWaiting(served, 2))
  await until(() => application.asked.length === 2)
  application.asked[1]?.res.end()
  expect(await read(second)).toMatch(/^HTTP\/1\.1 200 [\s\S]*\r\n0\r\n\r\n$/)
})
