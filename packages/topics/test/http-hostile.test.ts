import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { pipeline } from 'node:stream'
import { createTopics, type Topics, type TopicsAccess, type TopicsOptions } from '../src/index.ts'
import { atEnd, stopAll } from './pair.ts'

afterEach(async () => {
  jest.useRealTimers()
  await stopAll()
})

const all: TopicsAccess = { mayRead: () => true, mayPublish: () => true }

/** @param before what the application waits for before it asks topics */
async function start(options: TopicsOptions = {}, before: () => Promise<unknown> | undefined = () => undefined) {
  const topics = createTopics({ history: {}, ...options })
  const server = createServer(async (req: IncomingMessage, res: ServerResponse) => {
    await before()
    const { status, headers, body } = await topics.respond(req, all)
    if (res.destroyed) return
    res.writeHead(status, headers)
    if (typeof body === 'string') res.end(body)
    else pipeline(body, res, () => {})
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  atEnd(async () => {
    await topics.close()
    const closed = once(server.close(), 'close')
    server.closeAllConnections()
    await closed
  })
  return { server, topics, port: (server.address() as AddressInfo).port }
}

async function open(port: number, text: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').on('error', () => {})
  atEnd(() => socket.destroy())
  await once(socket, 'connect')
  socket.write(text)
  return socket
}

const get = (query: string, fields = ''): string => `GET /?${query} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`
const stream = (query: string): string => get(query, 'Accept: text/event-stream\r\n')

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise(setImmediate)
}

async function positionOf(topics: Topics, port: number): Promise<string> {
  const { since } = (await (await fetch(`http://127.0.0.1:${port}/?topic=news`)).json()) as { since: string }
  await until(() => topics.stats().httpClients === 0)
  return since
}

test.each([
  ['a poll', get('topic=news&since=x:1')],
  ['a stream', stream('topic=news')],
  ['a message', `POST /?topic=news&id=1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello`]
])('security: %s whose client leaves before the application asks takes no place for ever', async (_name, text) => {
  let go = (): void => {}
  const gate = new Promise<void>((resolve) => (go = resolve))
  let arrived = 0
  const { topics, port } = await start({}, () => {
    arrived++
    return gate
  })
  const socket = await open(port, text)
  await until(() => arrived === 1)
  socket.destroy()
  await new Promise((resolve) => setTimeout(resolve, 20))
  go()
  await until(() => topics.stats().http.accepted === 1)
  await until(() => topics.stats().httpClients === 0)
  expect(topics.stats()).toMatchObject({ subscriptions: 0, served: 0 })
})

test('security: pipelined polls of one connection share a listener, so Node does not warn, and all are answered', async () => {
  const { server, topics, port } = await start()
  const since = await positionOf(topics, port)
  const connected = once(server, 'connection') as Promise<[Socket]>
  const socket = await open(port, get(`topic=news&since=${since}`).repeat(30))
  const [accepted] = await connected
  let text = ''
  socket.on('data', (chunk) => (text += chunk))
  await until(() => topics.stats().http.polls > 11)
  expect(accepted.listenerCount('close')).toBeLessThan(accepted.getMaxListeners())
  topics.publish('news', 'hello')
  await until(() => topics.stats().httpClients === 0)
  socket.write(get('topic=news'))
  await until(() => text.split('HTTP/1.1 200').length === 32)
  await until(() => topics.stats().httpClients === 0)
  socket.destroy()
  expect(topics.stats()).toMatchObject({ subscriptions: 0, served: 0 })
})

test('security: all pipelined polls end with their connection', async () => {
  const { topics, port } = await start()
  const since = await positionOf(topics, port)
  const socket = await open(port, get(`topic=news&since=${since}`).repeat(5))
  await until(() => topics.stats().http.polls === 5)
  socket.destroy()
  await until(() => topics.stats().httpClients === 0)
})

/** Fakes intervals alone: those of the comments, and of looks at streams. */
function fakeIntervals(): void {
  const others = [
    'Date',
    'hrtime',
    'nextTick',
    'performance',
    'queueMicrotask',
    'setImmediate',
    'clearImmediate'
  ] as const
  jest.useFakeTimers({ doNotFake: [...others, 'setTimeout', 'clearTimeout'] })
}

test('security: a stream that its client does not read is cut after 25 to 50 seconds, also if it has ended', async () => {
  fakeIntervals()
  const { topics, port } = await start({ history: undefined, maxBufferedBytes: 10_000_000 })
  const reading = request({ port, path: '/?topic=news', headers: { Accept: 'text/event-stream' }, agent: false })
  reading.on('error', () => {}).end()
  const [response] = (await once(reading, 'response')) as [IncomingMessage]
  atEnd(() => reading.destroy())
  response.resume()
  for (let count = 0; count < 2; count++) {
    const socket = await open(port, stream('topic=news'))
    socket.pause()
  }
  await until(() => topics.stats().http.streams === 3)
  const payload = 'x'.repeat(100_000)
  // Beyond what the operating system takes, so that it closes the slow ones.
  for (let count = 0; count < 300; count++) {
    topics.publish('news', payload)
    await new Promise(setImmediate)
  }
  jest.advanceTimersByTime(25_000)
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(topics.stats()).toMatchObject({ closed: 2, httpClients: 3 })
  jest.advanceTimersByTime(25_000)
  await until(() => topics.stats().http.streams === 1)
})

test('the type of a stream may be written in capitals', async () => {
  const { port } = await start()
  const socket = await open(port, get('topic=news', 'Accept: Text/Event-Stream\r\n'))
  const [head] = (await once(socket, 'data')) as [Buffer]
  expect(String(head)).toMatch(/content-type: text\/event-stream/i)
  expect(String(head)).toMatch(/x-content-type-options: nosniff/i)
})

test.each([
  ['a cut percent-encoding', 'topic=%E0%A4'],
  ['an empty since for many topics', `topic=a&topic=b&since=,,`],
  ['a huge offset', `topic=a&since=x:${'9'.repeat(400)}`],
  ['a negative offset', 'topic=a&since=x:-1'],
  ['an offset in another notation', 'topic=a&since=x:1e3'],
  ['an epoch with a line break', 'topic=a&since=x%0Ay:1'],
  ['a topic with a line break', 'topic=a%0Aid:%20x'],
  ['a topic of a prototype', 'topic=__proto__&topic=constructor']
])('security: a query with %s is refused or works as any other', async (_name, query) => {
  const { topics, port } = await start()
  const polling = fetch(`http://127.0.0.1:${port}/?${query}`)
  const { status } = await polling
  expect([200, 400]).toContain(status)
  await until(() => topics.stats().httpClients === 0)
  expect(topics.stats()).toMatchObject({ subscriptions: 0, served: 0 })
})
