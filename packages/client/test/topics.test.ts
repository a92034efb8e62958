import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { attach, serveTopics } from '@oneport/core'
import { createTopics, type Topics as ServerTopics, type TopicsAccess } from '@oneport/topics'
import { WebSocket, WebSocketServer } from 'ws'
import { connectTopics, type Topics, type TopicsOptions } from '../src/index.ts'
import type { Answer } from '../src/topics/answer.ts'
import { httpWire } from '../src/topics/http-wire.ts'

const clients: Topics[] = []
const servers: Server[] = []

afterEach(async () => {
  for (const client of clients.splice(0)) client.close()
  await Promise.all(
    servers.splice(0).map(async (server) => {
      server.closeAllConnections()
      server.close()
      if (server.listening) await once(server, 'close')
    })
  )
})

interface Setting {
  topics?: ServerTopics
  access?: Partial<TopicsAccess>
  /** Looks at a request first. @returns whether it has answered */
  before?: (req: IncomingMessage, res: ServerResponse) => boolean
  port?: number
}

interface Served {
  topics: ServerTopics
  server: Server
  port: number
  url: string
}

async function serve({ topics = history(), access, before = () => false, port = 0 }: Setting = {}): Promise<Served> {
  const server = createServer((req, res) => {
    if (before(req, res)) return
    void serveTopics(req, res, topics, { mayRead: () => true, mayPublish: () => true, ...access })
  })
  servers.push(server)
  attach(server)
  await once(server.listen(port, '127.0.0.1'), 'listening')
  const { port: given } = server.address() as AddressInfo
  return { topics, server, port: given, url: `ws://127.0.0.1:${given}/topics` }
}

const history = (): ServerTopics => createTopics({ history: { messages: 1_000, ms: 60_000 } })

function connect(url: string, options: TopicsOptions = {}): Topics {
  const topics = connectTopics(url, { webSocket: WebSocket, minDelayMs: 1, maxDelayMs: 50, ...options })
  clients.push(topics)
  return topics
}

/** Collects what is told, and waits for it. */
class Heard {
  readonly lines: string[] = []
  #waiting: [string, () => void][] = []

  readonly add = (line: string): void => {
    this.lines.push(line)
    this.#waiting = this.#waiting.filter(([wanted, resolve]) => wanted !== line || resolve())
  }

  until(line: string): Promise<void> {
    if (this.lines.includes(line)) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push([line, resolve]))
  }
}

function follow(topics: Topics, topic = 'news', since?: 'all'): Heard {
  const heard = new Heard()
  topics.subscribe(topic, (data) => heard.add(String(data)), {
    since,
    onSubscribed: (position) => heard.add(`subscribed ${position?.offset}`),
    onGap: ({ missing }) => heard.add(`gap ${missing}`),
    onError: ({ code }) => heard.add(`error ${code}`)
  })
  return heard
}

const ways = [['websocket'], ['stream'], ['poll']] as const

describe.each(ways)('over %s', (transport) => {
  const transports = [transport]

  test('gets what is published, texts and bytes, and publishes', async () => {
    const { topics, url } = await serve()
    const client = connect(url, { transports })
    const heard = follow(client)
    const got = new Promise<[unknown, unknown]>((resolve) => {
      client.subscribe('bytes', (data, position) => resolve([data, position]))
    })
    await heard.until('subscribed 0')
    topics.publish('news', 'a\r\nb\n\nc')
    await heard.until('a\r\nb\n\nc')
    await expect(client.publish('news', 'ä€😀')).resolves.toBe(2)
    await heard.until('ä€😀')
    await expect(client.publish('bytes', Uint8Array.of(0, 10, 255))).resolves.toBe(1)
    const [data, position] = await got
    expect(data).toEqual(Uint8Array.of(0, 10, 255))
    expect(position).toMatchObject({ offset: 1 })
    expect(client.state).toBe('open')
    expect(client.transport).toBe(transport)
  })

  test('loses nothing over a restart of the server, and publishes once', async () => {
    const topics = history()
    const first = await serve({ topics })
    const client = connect(first.url, { transports })
    const heard = follow(client)
    await heard.until('subscribed 0')
    first.server.closeAllConnections()
    first.server.close()
    await once(first.server, 'close')
    topics.publish('news', 'missed')
    const published = client.publish('news', 'mine')
    await serve({ topics, port: first.port })
    await published
    await heard.until('mine')
    expect(heard.lines.filter((line) => !line.startsWith('subscribed'))).toEqual(['missed', 'mine'])
  }, 20_000)

  test('is told of a gap when the history was lost', async () => {
    const first = await serve()
    const client = connect(first.url, { transports })
    const heard = follow(client)
    await heard.until('subscribed 0')
    first.server.closeAllConnections()
    first.server.close()
    await once(first.server, 'close')
    await serve({ port: first.port })
    await heard.until('gap undefined')
  }, 20_000)

  test('what is forbidden is refused, and the rest goes on', async () => {
    const access: Partial<TopicsAccess> = {
      mayRead: (topic) => topic !== 'secret',
      mayPublish: (topic) => topic !== 'secret'
    }
    const { url } = await serve({ access })
    const client = connect(url, { transports })
    const secret = follow(client, 'secret')
    const news = follow(client)
    await secret.until('error forbidden')
    await news.until('subscribed 0')
    await expect(client.publish('secret', 'x')).rejects.toMatchObject({ code: 'forbidden' })
    await client.publish('news', 'y')
    await news.until('y')
  })

  test('who is present', async () => {
    const { url } = await serve({ access: { presence: { id: 'ada', info: { name: 'Ada' } } } })
    const client = connect(url, { transports })
    const members = await new Promise((resolve) => {
      client.presence('news', (members) => {
        if (members.size > 0) resolve([...members.values()])
      })
    })
    expect(members).toEqual([{ id: 'ada', info: { name: 'Ada' } }])
  })

  test('a subscriber that joins later gets what is kept', async () => {
    const { topics, url } = await serve()
    topics.publish('news', 'old')
    const client = connect(url, { transports })
    const fresh = follow(client)
    const all = follow(client, 'news', 'all')
    await all.until('old')
    topics.publish('news', 'new')
    await Promise.all([fresh.until('new'), all.until('new')])
    expect(fresh.lines).toEqual(['subscribed 1', 'new'])
    expect(all.lines).toEqual(['subscribed 0', 'old', 'new'])
  })
})

describe('hostile', () => {
  test.each(ways)('a listener that throws disturbs nobody else, over %s', async (transport) => {
    const { topics, url } = await serve()
    const client = connect(url, { transports: [transport] })
    // In the global one, it would end the test.
    const reports: (() => void)[] = []
    jest.spyOn(globalThis, 'queueMicrotask').mockImplementation((report) => void reports.push(report))
    client.subscribe('news', () => {
      throw new Error('of a listener')
    })
    const heard = follow(client)
    jest.mocked(queueMicrotask).mockRestore()
    await heard.until('subscribed 0')
    jest.spyOn(globalThis, 'queueMicrotask').mockImplementation((report) => void reports.push(report))
    topics.publish('news', 'a')
    topics.publish('news', 'b')
    await heard.until('b')
    jest.mocked(queueMicrotask).mockRestore()
    expect(heard.lines).toEqual(['subscribed 0', 'a', 'b'])
    const thrown = reports.flatMap((report) => {
      try {
        report()
        return []
      } catch (error) {
        return String(error)
      }
    })
    expect(thrown).toEqual(['Error: of a listener', 'Error: of a listener'])
  })

  test.each(['', 'a\nb', 'a\0', '\ud800', 5, undefined, null, {}])('%j is no topic', async (topic) => {
    const { url } = await serve()
    const client = connect(url)
    expect(() => client.subscribe(topic as string, () => {})).toThrow(TypeError)
    expect(() => client.presence(topic as string, () => {})).toThrow(TypeError)
    await expect(client.publish(topic as string, 'x')).rejects.toThrow(TypeError)
  })

  test.each([5, undefined, null, {}, [1]])('%j is no message', async (data) => {
    const { url } = await serve()
    await expect(connect(url).publish('news', data as string)).rejects.toThrow(
      /expected a string, an ArrayBuffer or a view/
    )
  })

  test('after close() nothing is promised', async () => {
    const { url } = await serve()
    const client = connect(url)
    const pending = client.publish('news', 'x')
    client.close()
    await expect(pending).rejects.toMatchObject({ code: 'closed' })
    await expect(client.publish('news', 'x')).rejects.toMatchObject({ code: 'closed' })
    expect(() => client.subscribe('news', () => {})).toThrow('closed')
    expect(client.state).toBe('closed')
  })

  test.each(ways)('regression: a signal that was aborted before did not close topics over %s', async (transport) => {
    const { url } = await serve()
    const client = connect(url, { transports: [transport], signal: AbortSignal.abort() })
    expect([client.state, client.error]).toEqual(['closed', undefined])
  })

  test('regression: a page that was loaded again was told again of a gap', async () => {
    const server = createServer()
    servers.push(server)
    const asked: string[] = []
    new WebSocketServer({ server, handleProtocols: ([first = '']) => first }).on('connection', (socket) => {
      socket.on('message', (data) => {
        const answers = asked.push(String(data)) === 1 ? ['subscribed e 4 new', 'gap e 9'] : ['subscribed e 9 resumed']
        for (const answer of answers) socket.send(`${answer} news`)
      })
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
    const stored = new Map<string, string>()
    const persist = {
      getItem: (name: string): string | null => stored.get(name) ?? null,
      setItem: (name: string, value: string): void => void stored.set(name, value)
    }
    for (const line of ['gap 5', 'subscribed 9']) {
      const client = connect(url, { persist, transports: ['websocket'] })
      await follow(client).until(line)
      client.close()
    }
    expect(asked).toEqual(['subscribe - news', 'subscribe e:9 news'])
  })

  test('what is published later is what was given', async () => {
    const { url } = await serve()
    const client = connect(url)
    const got = new Promise((resolve) => client.subscribe('news', resolve))
    const bytes = Uint8Array.of(1, 2, 3)
    const published = client.publish('news', bytes.subarray(1))
    bytes.fill(9)
    await published
    await expect(got).resolves.toEqual(Uint8Array.of(2, 3))
  })

  test('an unsubscribed listener hears nothing more', async () => {
    const { topics, url } = await serve()
    const client = connect(url)
    const lines: unknown[] = []
    const stop = client.subscribe('news', (data) => lines.push(data))
    const other = follow(client)
    await other.until('subscribed 0')
    stop()
    topics.publish('news', 'a')
    await other.until('a')
    expect(lines).toEqual([])
  })

  test('over HTTP, what does not fit into a request is refused, and the rest is served', async () => {
    const { topics, url } = await serve()
    const client = connect(url, { transports: ['stream'] })
    const heard = Array.from({ length: 101 }, (_value, index) => follow(client, `topic ${index}`))
    await heard[100]?.until('error limit')
    await heard[99]?.until('subscribed 0')
    topics.publish('topic 7', 'x')
    await heard[7]?.until('x')
  })
})

test('gives up no message that waits for another one to be posted', async () => {
  const { url } = await serve()
  let post = (): void => {}
  const mayPost = new Promise<void>((resolve) => {
    post = resolve
  })
  const given: typeof fetch = async (input, init) => {
    if (init?.method === 'POST') await mayPost
    return fetch(input, init)
  }
  const heard = new Heard()
  const hear = (_wire: unknown, answer: Answer | undefined): void => heard.add(`${answer?.kind} ${answer?.fields[0]}`)
  const wire = httpWire(
    { kind: 'poll', url, token: undefined, fetch: given, onPoll() {} },
    { ask: () => [], isWatching: false, up() {}, down() {}, hear, fail() {} }
  )
  for (const id of ['a', 'b']) {
    wire.publish({ id, topic: 'news', data: 'x', endsAt: undefined, isOver: false, begin: () => heard.add(id) })
  }
  expect(heard.lines).toEqual(['a'])
  post()
  await heard.until('published b')
  expect(heard.lines).toEqual(['a', 'published a', 'b', 'published b'])
  wire.close()
})

test.each(['stream', 'poll'] as const)('sends all requests of a %s with the function fetch', async (transport) => {
  const { url } = await serve()
  const sent = new Set<string>()
  const given: typeof fetch = (input, init) => {
    sent.add(`${init?.method ?? 'GET'} ${new URL(String(input)).pathname}`)
    return fetch(input, init)
  }
  const client = connect(url, { transports: [transport], fetch: given })
  const heard = follow(client)
  await heard.until('subscribed 0')
  await client.publish('news', 'a')
  await heard.until('a')
  expect([...sent]).toEqual(['GET /topics', 'POST /topics'])
})

describe('a token', () => {
  const bearer = (req: IncomingMessage): string | undefined =>
    req.headers.authorization?.replace('Bearer ', '') ??
    /oneport\.bearer\.(\S+?)(,|$)/.exec(String(req.headers['sec-websocket-protocol']))?.[1]

  test('goes with each request over HTTP, and is asked for anew when it was refused', async () => {
    let valid = 'one'
    const { topics, url } = await serve({
      before: (req, res) => {
        if (bearer(req) === valid) return false
        res.writeHead(401).end()
        return true
      }
    })
    const asked: boolean[] = []
    const token = ({ refused }: { refused: boolean }): string => {
      asked.push(refused)
      return valid
    }
    const client = connect(url, { transports: ['poll'], token } as TopicsOptions)
    const heard = follow(client)
    await heard.until('subscribed 0')
    valid = 'two'
    topics.publish('news', 'a')
    await client.publish('news', 'b')
    await heard.until('b')
    expect(asked).toEqual([false, true])
    expect(heard.lines).toEqual(['subscribed 0', 'a', 'b'])
  })

  test('that is refused twice closes the topics, with the reason', async () => {
    const { url } = await serve({ before: (_req, res) => Boolean(res.writeHead(401).end()) })
    const client = connect(url, { transports: ['stream'], token: () => 'wrong' } as TopicsOptions)
    follow(client)
    while (client.state !== 'closed') await once(client as never, 'statechange')
    expect(String(client.error)).toContain('401')
  })
})

describe('where WebSocket does not work', () => {
  /** Refuses handshakes, and streams, while it is told to. */
  const blocks = { websocket: false, stream: false }
  const before = (req: IncomingMessage, res: ServerResponse): boolean => {
    if (blocks.websocket && req.headers.upgrade !== undefined) {
      res.writeHead(502).end()
      return true
    }
    if (blocks.stream && req.headers.accept === 'text/event-stream') {
      // A proxy that keeps everything back until the response has ended.
      res.writeHead(200, { 'Content-Type': 'text/event-stream' })
      res.write = () => true
    }
    return false
  }
  beforeEach(() => Object.assign(blocks, { websocket: true, stream: false }))

  const transportOf = async (client: Topics, wanted: string): Promise<void> => {
    while (client.transport !== wanted) await once(client as never, 'statechange')
  }

  test('topics go over a stream, and back to a WebSocket without losing or doubling anything', async () => {
    const { topics, url } = await serve({ before })
    const client = connect(url)
    const states: string[] = []
    client.addEventListener('statechange', () => states.push(`${client.state} ${client.transport}`))
    const heard = follow(client)
    await heard.until('subscribed 0')
    expect(client.transport).toBe('stream')
    let count = 0
    const timer = setInterval(() => topics.publish('news', `m${++count}`), 1)
    await heard.until('m20')
    await client.publish('news', 'mine')
    blocks.websocket = false
    await transportOf(client, 'websocket')
    expect(states).toEqual(['open stream', 'open websocket'])
    const mark = count
    await heard.until(`m${mark + 20}`)
    clearInterval(timer)
    const got = heard.lines.filter((line) => line.startsWith('m') && line !== 'mine')
    expect(got).toEqual(got.map((_line, index) => `m${index + 1}`))
    expect(heard.lines.filter((line) => line === 'mine')).toHaveLength(1)
    expect(heard.lines.filter((line) => line.startsWith('gap'))).toEqual([])
  })

  test('a server without topics over HTTP gets WebSockets again', async () => {
    let isUp = false
    const { url } = await serve({
      before: (req, res) => {
        const isWebSocket = req.headers.upgrade !== undefined
        if (isUp && isWebSocket) return false
        isUp ||= !isWebSocket
        res.writeHead(isWebSocket ? 503 : 405).end()
        return true
      }
    })
    const client = connect(url)
    const heard = follow(client)
    await heard.until('subscribed 0')
    expect(client.transport).toBe('websocket')
  })
})
