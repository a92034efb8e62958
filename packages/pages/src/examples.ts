import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { openSession, sendConnect, webSocketOn } from '@oneport/test-kit'
import { WebSocket } from 'ws'
import { frameworkExamples } from './frameworks.ts'
import { guides } from './guides.ts'
import { hono } from './hono.ts'
import { integrations } from './integrations.ts'
import { koa } from './koa.ts'
import { moving } from './moving.ts'
import { nestjs } from './nestjs.ts'
import { nodeProxies } from './node-proxies.ts'
import type { Answer, Program } from './program.ts'

/** Connects with each origin. @returns the status for each */
async function statuses(program: Program, path: string, origins: (string | undefined)[]): Promise<number[]> {
  const answers = await Promise.all(origins.map((origin) => program.connect(path, origin ? { origin } : {})))
  return answers.map(({ status }) => status)
}

async function echoes(program: Program, path: string, answer: string): Promise<void> {
  const { socket, next } = await program.connect(path)
  socket.send('hello')
  expect(await next()).toBe(answer)
}

const welcomes = async (program: Program, path: string, options: object, text: string): Promise<Answer> => {
  const answer = await program.connect(path, options)
  expect(answer.status).toBe(101)
  expect(await answer.next()).toBe(text)
  return answer
}

const refuses = async (program: Program, path: string, options: object, status: number): Promise<Answer> => {
  const answer = await program.connect(path, options)
  expect(answer.status).toBe(status)
  return answer
}

async function usesSession(program: Program): Promise<void> {
  const { body } = await refuses(program, '/news', {}, 401)
  expect(JSON.parse(body)).toEqual({ message: 'Log in first.' })
  const login = await program.fetch('/login', { method: 'POST' })
  const [cookie = ''] = login.headers.getSetCookie().map((field) => field.split(';', 1)[0])
  await welcomes(program, '/news', { headers: { Cookie: cookie } }, 'Hello, Ada.')
  // A page does this to find out why it got no WebSocket.
  expect((await program.fetch('/news')).status).toBe(401)
  expect((await program.fetch('/news', { headers: { Cookie: cookie } })).status).toBe(426)
  await refuses(program, '/news', { headers: { Cookie: cookie }, origin: 'https://evil.example' }, 403)
}

/** The behaviour of the application before and after the move from @fastify/websocket. */
async function servesNews(program: Program): Promise<void> {
  const key = { headers: { 'api-key': 'some-random-key' } }
  expect((await refuses(program, '/echo', {}, 401)).body).toBe('Log in first.')
  const { socket, next } = await program.connect('/echo', key)
  socket.send('hello')
  expect(await next()).toBe('hello')
  const news = await welcomes(program, '/news', key, 'no news')
  expect(await (await program.fetch('/news')).json()).toEqual({ clients: 2 })
  await program.fetch('/news', { method: 'POST' })
  expect(await news.next()).toBe('news')
}

async function usesToken(program: Program): Promise<void> {
  const { headers } = await refuses(program, '/news', {}, 401)
  expect(headers['www-authenticate']).toBe('Bearer')
  await welcomes(program, '/news', { headers: { Authorization: 'Bearer secret-of-ada' } }, 'Hello, Ada.')
}

/** Exits on a signal while one client is connected. */
async function shutsDown(
  program: Program,
  code: number,
  printed: string,
  signal: NodeJS.Signals = 'SIGTERM'
): Promise<void> {
  const { closed } = await welcomes(program, '/chat', {}, 'Welcome.')
  expect(await program.signal(signal)).toBe(0)
  expect((await closed).code).toBe(code)
  expect(program.output.trim()).toBe(printed)
}

async function believesProxy(program: Program, forwarded: Record<string, string>): Promise<void> {
  const origin = 'https://app.example'
  await refuses(program, '/chat', { origin }, 403)
  await welcomes(program, '/chat', { origin, headers: forwarded }, 'Welcome.')
  await refuses(program, '/chat', { origin, headers: { 'X-Forwarded-Host': 'other.example' } }, 403)
  await welcomes(program, '/chat', { origin: program.origin }, 'Welcome.')
}

/** Allows two connections for each client behind the proxy. */
async function countsAddresses(program: Program): Promise<void> {
  const from = (address: string) => ({ headers: { 'X-Forwarded-For': address } })
  await welcomes(program, '/chat', from('192.0.2.1'), 'Welcome.')
  await welcomes(program, '/chat', from('192.0.2.1'), 'Welcome.')
  await refuses(program, '/chat', from('192.0.2.1'), 429)
  await welcomes(program, '/chat', from('192.0.2.2'), 'Welcome.')
}

/** Connects over an HTTP/2 session. @returns the first message */
async function welcomesOverHttp2({ port }: Program, tls: boolean): Promise<string> {
  const session = await openSession({ port, host: 'localhost', tls })
  const socket = webSocketOn((await sendConnect(session, '/chat')).stream)
  const [message] = await once(socket, 'message')
  session.destroy()
  return String(message)
}

/** Sends messages to one program until a client of another one gets one: subscribing at Redis takes a moment. */
async function hearsAcross(program: Program, another: () => Promise<Program>, path = '/'): Promise<void> {
  const [ada, bob] = [await program.connect(path), await (await another()).connect(path)]
  const speaking = setInterval(() => ada.socket.send('hello'), 20)
  expect(await bob.next()).toBe('hello')
  clearInterval(speaking)
}

/** What `/health` shows, once the program has subscribed to its topic. It may have started before its connections. */
async function followsOneTopic(program: Program): Promise<void> {
  for (;;) {
    const health = (await (await program.fetch('/health')).json()) as { missing: number }
    if (health.missing === 0) {
      expect(health).toMatchObject({ health: 'up', topics: 1 })
      return
    }
    await sleep(50)
  }
}

/** Sends what one client says to everyone in its room, and to nobody else. */
async function broadcastsToRooms(program: Program): Promise<void> {
  const [ada, bob] = [await program.connect('/chat/lobby'), await program.connect('/chat/lobby')]
  const eve = await program.connect('/chat/kitchen')
  ada.socket.send('hello')
  expect([await ada.next(), await bob.next()]).toEqual(['hello', 'hello'])
  eve.socket.send('alone')
  expect(await eve.next()).toBe('alone')
  expect(await (await program.fetch('/')).text()).toContain('console')
  await refuses(program, '/chat/lobby', { origin: 'https://evil.example' }, 403)
  await refuses(program, '/unknown', {}, 404)
}

type Drive = (
  program: Program,
  another: (env?: NodeJS.ProcessEnv, packages?: Readonly<Record<string, string>>) => Promise<Program>
) => Promise<void>

/** What each program of the pages must do, by the name in the comment above its block. */
export const examples: Record<string, Drive> = {
  'express-chat': broadcastsToRooms,
  'fastify-chat': broadcastsToRooms,

  'http2-fastify': async (program) => {
    expect(await welcomesOverHttp2(program, true)).toBe('Welcome.')
    const socket = new WebSocket(`wss://localhost:${program.port}/chat`, { rejectUnauthorized: false })
    const [message] = await once(socket, 'message')
    expect(String(message)).toBe('Welcome.')
    socket.terminate()
  },

  'http2-core': async (program) => {
    expect(await welcomesOverHttp2(program, false)).toBe('Welcome.')
  },

  'options-fastify': async (program) => {
    const chat = await welcomes(program, '/chat', {}, 'Welcome.')
    expect(await program.signal('SIGTERM')).toBe(0)
    expect(await chat.next()).toBe('Back in a minute.')
    expect((await chat.closed).code).toBe(1012)
  },

  'moving-fastify-websocket': async (program) => {
    await servesNews(program)
    const key = { 'api-key': 'some-random-key' }
    await welcomes(program, '/news', { headers: key, origin: 'https://other.example' }, 'no news')
  },

  'moving-fastify-websocket-on-before': servesNews,

  'moving-fastify-websocket-on': async (program) => {
    await servesNews(program)
    await refuses(program, '/echo', { headers: { 'api-key': 'some-random-key' }, origin: 'https://evil.example' }, 403)
  },

  'moving-fastify-websocket-steps': async (program) => {
    await program.printed('every GET route answers handshakes with 101')
    expect(await statuses(program, '/chat', ['https://app.example', 'https://evil.example'])).toEqual([101, 403])
    expect((await (await program.connect('/', { origin: 'https://app.example' })).closed).code).toBe(1005)
    expect((await program.fetch('/chat')).status).toBe(404)
  },

  'sharing-http': async (program) => {
    await welcomes(program, '/chat', {}, 'Welcome.')
    await welcomes(program, '/old', {}, 'Still here.')
    expect((await refuses(program, '/nowhere', {}, 404)).body).toBe('Nothing here.\n')
  },

  'sharing-socket-io': async (program) => {
    await welcomes(program, '/chat', {}, 'Welcome.')
    const io = await program.connect('/socket.io/?EIO=4&transport=websocket')
    expect(await io.next()).toMatch(/^0\{"sid"/)
    io.socket.send('40')
    expect(await io.next()).toMatch(/^40\{"sid"/)
    expect(await io.next()).toBe('42["greeting","Still here."]')
  },

  'session-express': usesSession,
  'session-fastify': usesSession,
  'bearer-express': usesToken,
  'bearer-fastify': usesToken,

  'bearer-subprotocol': async (program) => {
    await refuses(program, '/news', {}, 401)
    const answer = await program.connect('/news', {}, ['news.v1', 'bearer.secret-of-ada'])
    expect(answer.headers['sec-websocket-protocol']).toBe('news.v1')
    expect(await answer.next()).toBe('Hello, Ada.')
    expect((await program.connect('/news', {}, ['news.v1', 'bearer.wrong'])).status).toBe(401)
  },

  'credential-express': async (program) => {
    await refuses(program, '/news', {}, 401)
    const { closed, socket } = await welcomes(
      program,
      '/news',
      { headers: { Authorization: 'Bearer secret-of-ada' } },
      'Hello.'
    )
    socket.send('still me')
    const response = await program.fetch('/ban/ada', { method: 'POST' })
    expect(await response.json()).toEqual({ closed: 1, left: 0 })
    expect(await closed).toEqual({ code: 4403, reason: 'banned' })
  },

  'topics-express': async (program) => {
    const [ada, bob] = [await program.connect('/chat/lobby'), await program.connect('/chat/lobby')]
    ada.socket.send('hello')
    expect(await bob.next()).toBe('hello')
    const response = await program.fetch('/chat/lobby', { method: 'POST' })
    expect(await response.json()).toEqual({ reached: 2 })
    expect([await ada.next(), await bob.next()]).toEqual(['Hello from the server.', 'Hello from the server.'])
  },

  'topics-serve': async (program) => {
    const connect = (name: string) => program.connect(`/topics?name=${name}`, {}, ['oneport.topics.1'])
    await refuses(program, '/topics', {}, 401)
    const ada = await connect('ada')
    ada.socket.send('subscribe - chat/lobby')
    const [, epoch] = (await ada.next()).split(' ')
    ada.socket.send('subscribe - inbox/bob')
    expect(await ada.next()).toBe('error forbidden subscribe - inbox/bob')
    ada.socket.close()
    const bob = await connect('bob')
    bob.socket.send('publish 1 chat/lobby\nhello')
    expect(await bob.next()).toBe('published 1 1')
    const again = await connect('ada')
    again.socket.send(`subscribe ${epoch}:0 chat/lobby`)
    expect(await again.next()).toBe(`subscribed ${epoch} 0 resumed chat/lobby`)
    expect(await again.next()).toBe('message 1 chat/lobby\nhello')
  },

  'topics-http': async (program) => {
    const { next, socket } = await program.connect('/topics', {}, ['oneport.topics.1'])
    socket.send('subscribe - chat/lobby')
    await next()
    const post = (topic: string) => program.fetch(`/topics?topic=${topic}&id=1`, { method: 'POST', body: 'hello' })
    expect((await post('news')).status).toBe(403)
    expect(await (await post('chat/lobby')).json()).toEqual({ offset: 1 })
    expect(await next()).toBe('message 1 chat/lobby\nhello')
    expect((await program.fetch('/topics?topic=news', { headers: { Origin: 'https://evil.example' } })).status).toBe(
      403
    )
  },

  'topics-history': async (program) => {
    const { next, socket } = await program.connect('/', {}, ['oneport.topics.1'])
    socket.send('subscribe all news/weather')
    expect(await next()).toMatch(/^subscribed [\w.]+ 0 new news\/weather$/)
    expect(await next()).toBe('message 1 news/weather\nRain.')
    socket.send('subscribe - cursor')
    expect(await next()).toBe('subscribed - - new cursor')
    socket.send('publish 1 cursor\nhello')
    expect(await next()).toBe('error forbidden publish 1 cursor')
  },

  'topics-ws': async (program) => {
    const [ada, bob] = [await program.connect('/'), await program.connect('/')]
    const price = '4711 '.repeat(1_000)
    ada.socket.send(price)
    expect([await ada.next(), await bob.next()]).toEqual([price, price])
  },

  'topics-deflate': async (program) => {
    const [ada, bob] = [await program.connect('/'), await program.connect('/')]
    expect(ada.headers['sec-websocket-extensions']).toContain('server_no_context_takeover')
    const news = 'news '.repeat(1_000)
    ada.socket.send(news)
    expect([await ada.next(), await bob.next()]).toEqual([news, news])
  },

  'topics-across-nodes': async (program, another) => {
    await hearsAcross(program, another)
    const { socket, next } = await program.connect('/')
    socket.send('to all')
    expect(await next()).toBe('to all')
  },

  'redis-express': async (program, another) => {
    await hearsAcross(program, another, '/chat/lobby')
    const response = await program.fetch('/chat/lobby', { method: 'POST' })
    expect([response.status, await response.json()]).toEqual([200, { reachedHere: 1 }])
    await followsOneTopic(program)
  },

  'redis-ioredis': (program, another) => hearsAcross(program, another),
  'redis-cluster': (program, another) => hearsAcross(program, another),
  'redis-history': async (program, another) => {
    const elsewhere = await another()
    const begin = async (where: Program, request: string) => {
      const client = await where.connect('/', {}, ['oneport.topics.1'])
      client.socket.send(request)
      return { ...client, answer: await client.next() }
    }
    const ada = await begin(program, 'subscribe - news')
    const [, epoch] = ada.answer.split(' ')
    ada.socket.close()
    const bob = await begin(elsewhere, 'subscribe - sport')
    bob.socket.send('publish 1 news\nhello')
    expect(await bob.next()).toBe('published 1 1')
    const again = await begin(elsewhere, `subscribe ${epoch}:0 news`)
    expect(again.answer).toBe(`subscribed ${epoch} 0 resumed news`)
    expect(await again.next()).toBe('message 1 news\nhello')
  },
  'npm-redis': (program, another) => hearsAcross(program, another),

  'postgres-express': async (program, another) => {
    await hearsAcross(program, another, '/chat/lobby')
    await followsOneTopic(program)
  },
  'npm-postgres': (program, another) => hearsAcross(program, another),

  'topics-cluster': async (program) => {
    const [ada, bob] = [await program.connect('/'), await program.connect('/')]
    // Joining the primary takes a moment.
    const speaking = setInterval(() => ada.socket.send('hello'), 20)
    expect(await bob.next()).toBe('hello')
    clearInterval(speaking)
  },

  'backplane-threads': async (program) => {
    const { next } = await program.connect('/')
    expect(await next()).toMatch(/^\d{4}-\d\d-\d\dT/)
  },

  'npm-topics': async (program) => {
    const [ada, bob] = [await program.connect('/'), await program.connect('/')]
    ada.socket.send('hello')
    expect(await bob.next()).toBe('hello')
  },

  'monitoring-prometheus': async (program) => {
    const { closed, socket } = await welcomes(program, '/chat', {}, 'Welcome.')
    await refuses(program, '/chat', { origin: 'https://evil.example' }, 403)
    const open = await (await program.fetch('/metrics')).text()
    expect(open).toContain('\nwebsocket_connections 1\n')
    expect(open).toContain('\nwebsocket_handshakes_total{result="accepted"} 1\n')
    expect(open).toContain('\nwebsocket_handshakes_total{result="HANDSHAKE_ORIGIN"} 1\n')
    socket.close(4000)
    await closed
    await welcomes(program, '/chat', {}, 'Welcome.')
    expect(await (await program.fetch('/metrics')).text()).toContain('\nwebsocket_closed_total{code="4000"} 1\n')
  },

  'monitoring-log': async (program) => {
    const { socket } = await welcomes(program, '/chat', {}, 'Welcome.')
    socket.close(4000)
    await program.printed('"msg":"WebSocket closed"')
    const [line = ''] = program.output.split('\n').filter((text) => text.includes('WebSocket closed'))
    const { reqId, path, code, initiator, durationMs, bytesIn, bytesOut } = JSON.parse(line)
    expect([reqId, path, code, initiator]).toEqual(['req-1', '/chat', 4000, 'client'])
    expect([durationMs, bytesIn, bytesOut].every((number) => number > 0)).toBe(true)
  },

  'monitoring-on-closed': async (program) => {
    const { socket } = await welcomes(program, '/chat?token=secret', {}, 'Welcome.')
    socket.close(4000)
    await program.printed('/chat closed by client with 4000')
    expect(program.output).not.toContain('secret')
  },

  'monitoring-opentelemetry': async (program) => {
    const { socket } = await welcomes(program, '/chat', {}, 'Welcome.')
    await refuses(program, '/chat', { origin: 'https://evil.example' }, 403)
    socket.close(4000)
    await program.printed("'websocket.close_code': 4000")
    expect(program.output).toContain("'error.type': 'HANDSHAKE_ORIGIN'")
    expect(program.output).toContain('websocket.server.active_connections')
  },

  'check-first': async (program) => {
    await refuses(program, '/news', { origin: 'https://evil.example' }, 403)
    expect(program.output).not.toContain('asked the database')
    await welcomes(program, '/news', {}, 'Hello.')
    await program.printed('asked the database')
  },

  'allowed-hosts': async (program) => {
    const named = (host: string) => ({ headers: { Host: host }, origin: `http://${host}` })
    await welcomes(program, '/chat', { origin: program.origin }, 'Welcome.')
    await welcomes(program, '/chat', named('[::1]:3000'), 'Welcome.')
    await welcomes(program, '/chat', named('my.tool.example'), 'Welcome.')
    await refuses(program, '/chat', named(`evil.example:${program.port}`), 421)
    await program.printed('effective host "evil.example:')
  },

  'origin-forms': async (program) => {
    const own = program.origin
    const table: [path: string, allowed: (string | undefined)[], refused: string[]][] = [
      ['/same', [own, undefined], ['https://evil.example', 'null', own.replace('localhost', '127.0.0.1')]],
      [
        '/list',
        [own, 'https://app.example', 'https://app.example:443', 'http://localhost:5173'],
        ['http://app.example', 'https://app.example:8443', 'https://a.app.example']
      ],
      [
        '/wildcard',
        ['https://a.app.example', 'https://a.b.app.example'],
        ['https://app.example', 'https://evil-app.example', own]
      ],
      [
        '/regexp',
        ['https://pr-7.app.example'],
        ['https://pr-x.app.example', 'https://pr-7.app.example.evil.example', own]
      ],
      ['/function', [`https://admin.localhost:${program.port}`], [own, 'null']],
      ['/null', ['null', undefined], [own]],
      ['/nobody', [undefined], [own, 'null']],
      ['/any', [own, 'null', 'https://evil.example', undefined], ['https://a.example, https://a.example']]
    ]
    for (const [path, allowed, refused] of table) {
      expect([path, ...(await statuses(program, path, allowed))]).toEqual([path, ...allowed.map(() => 101)])
      expect([path, ...(await statuses(program, path, refused))]).toEqual([path, ...refused.map(() => 403)])
    }
  },

  'origin-dev': async (program) => {
    const origins = [program.origin, 'http://localhost:5173', 'http://localhost:5174']
    expect(await statuses(program, '/chat', origins)).toEqual([101, 101, 403])
  },

  'proxy-express': async (program) => {
    await believesProxy(program, { 'X-Forwarded-Host': 'app.example', 'X-Forwarded-Proto': 'https' })
    const forwarded = { 'X-Forwarded-Host': 'app.example', 'X-Forwarded-Proto': 'https' }
    await refuses(program, '/chat', { origin: 'http://app.example', headers: forwarded }, 403)
  },

  'proxy-fastify': async (program) => {
    const forwarded = {
      'X-Forwarded-For': '192.0.2.7',
      'X-Forwarded-Host': 'app.example',
      'X-Forwarded-Proto': 'https'
    }
    await believesProxy(program, forwarded)
    await refuses(program, '/chat', { origin: 'http://app.example', headers: forwarded }, 403)
  },

  'proxy-http': (program) => believesProxy(program, { 'X-Forwarded-Host': 'app.example' }),

  'options-endpoint': async (program) => {
    const origin = 'https://app.example'
    await refuses(program, '/chat', { origin: program.origin }, 403)
    const chat = await program.connect('/chat', { origin })
    expect(chat.headers['sec-websocket-extensions']).toBeUndefined()
    chat.socket.send('x'.repeat(65_537))
    expect((await chat.closed).code).toBe(1009)
    const quick = await program.connect('/chat', { origin })
    for (let count = 0; count <= 600; count++) quick.socket.send('hello')
    expect((await quick.closed).code).toBe(1008)

    await refuses(program, '/upload', {}, 403)
    const upload = await program.connect('/upload', { origin })
    expect(upload.headers['sec-websocket-extensions']).toBe('permessage-deflate')
    upload.socket.send('x'.repeat(1_048_577))
    expect(await upload.next()).toBe('1048577 characters')
  },

  'options-path': async (program) => {
    const origins = ['https://admin.example', program.origin]
    expect(await statuses(program, '/admin/log', origins)).toEqual([101, 403])
    expect(await statuses(program, '/chat', origins)).toEqual([403, 101])
  },

  'options-subprotocols': async (program) => {
    const speaks = async (path: string, offered: string[]) => (await program.connect(path, {}, offered)).next()
    expect(await speaks('/chat', ['chat.v1', 'chat.v2'])).toBe('We speak chat.v2.')
    expect(await speaks('/chat', [])).toBe('We speak nothing in particular.')
    expect(await speaks('/strict', ['chat.v2'])).toBe('We speak chat.v2.')
    expect((await program.connect('/strict', {}, ['chat.v1'])).status).toBe(400)
    expect(await speaks('/newest', ['chat.v1', 'chat.v3', 'other'])).toBe('We speak chat.v3.')
  },

  'options-server': async (program) => {
    await refuses(program, '/somewhere', { origin: program.origin }, 403)
    await program.printed('HANDSHAKE_ORIGIN at /somewhere')
    const { closed, socket } = await program.connect('/', { origin: program.origin.replace('http', 'https') })
    socket.send('hello')
    expect((await closed).code).toBe(1011)
    await program.printed('listener: Error: broken')
  },

  'errors-express': async (program) => {
    const { body } = await refuses(program, '/chat', { protocolVersion: 8, origin: 'null' }, 426)
    expect(JSON.parse(body).code).toBe('HANDSHAKE_VERSION')
    await welcomes(program, '/chat', {}, 'Welcome.')
  },

  'errors-fastify': async (program) => {
    const { body, headers } = await refuses(program, '/chat', { protocolVersion: 8 }, 426)
    expect(JSON.parse(body)).toEqual({ code: 'HANDSHAKE_VERSION', message: expect.stringContaining('got "8"') })
    expect(headers['sec-websocket-version']).toBe('13')
    await welcomes(program, '/chat', {}, 'Welcome.')
  },

  'on-error': async (program) => {
    const other = await program.connect('/chat')
    const { closed, socket } = await program.connect('/chat')
    socket.send('not JSON')
    expect((await closed).code).toBe(1011)
    await program.printed('listener of /chat: SyntaxError')
    other.socket.send('{"text":"still here"}')
    expect(await other.next()).toBe('still here')
  },

  'options-limits': async (program) => {
    await welcomes(program, '/chat', {}, 'Welcome.')
    await welcomes(program, '/chat', {}, 'Welcome.')
    expect((await refuses(program, '/chat', {}, 429)).headers['retry-after']).toBe('5')
    const start = performance.now()
    expect((await refuses(program, '/stuck', {}, 503)).body).toBe('The server took too long to answer; try again.\n')
    expect(performance.now() - start).toBeGreaterThan(1_900)
    const crowd = await Promise.all(Array.from({ length: 11 }, () => program.connect('/stuck')))
    expect(crowd.map(({ status }) => status).sort()).toEqual([429, ...new Array(10).fill(503)])
  },

  'limits-early': async (program) => {
    const { socket, next } = await program.connect('/chat')
    socket.send('one')
    socket.send('two')
    expect([await next(), await next()]).toEqual(['Heard one.', 'Heard two.'])
  },

  'limits-slow': async (program) => {
    const [slow, quick] = [await program.connect('/flood'), await program.connect('/flood')]
    slow.socket.pause()
    for (let count = 0; count < 300; count++) expect(await quick.next()).toHaveLength(65_536)
    slow.socket.resume()
    expect((await slow.closed).code).toBe(1013)
    expect(await quick.next()).toHaveLength(65_536)
  },

  'limits-proxy-express': countsAddresses,
  'limits-proxy-fastify': countsAddresses,

  // On Node. packages/runtimes tests what Bun does instead.
  'runtimes-bun': async (program) => {
    await welcomes(program, '/chat', {}, 'Welcome.')
  },

  'shutdown-fastify': (program) => shutsDown(program, 1012, ''),
  'shutdown-http-close': (program) => shutsDown(program, 1001, 'closed'),
  'shutdown-fastify-options': (program) => shutsDown(program, 1012, 'closed 1, terminated 0'),
  'shutdown-express': (program) => shutsDown(program, 1012, 'closed 1, terminated 0'),

  'shutdown-http': async (program) => {
    const silent = await welcomes(program, '/chat', {}, 'Welcome.')
    // A client that stops reading never answers the close frame.
    silent.socket.pause()
    await shutsDown(program, 1001, 'closed 1, terminated 1')
  },

  cluster: async (program) => {
    /** Connects until that many workers have answered. The last one may still be starting. */
    const reachWorkers = async (count: number) => {
      const workers = new Set<string>()
      const answers: Answer[] = []
      while (workers.size < count) {
        const answer = await program.connect('/chat')
        answers.push(answer)
        workers.add(await answer.next())
      }
      const codes = Promise.all(answers.map(async ({ closed }) => (await closed).code))
      return { workers, codes: codes.then((all) => new Set(all)) }
    }
    const before = await reachWorkers(Math.min(2, availableParallelism()))
    program.tell('SIGHUP')
    expect(await before.codes).toEqual(new Set([1012]))
    const after = await reachWorkers(1)
    for (const worker of after.workers) expect(before.workers).not.toContain(worker)
    expect(await program.signal('SIGTERM')).toBe(0)
    expect(await after.codes).toEqual(new Set([1012]))
  },

  pm2: (program) => shutsDown(program, 1012, 'closed 1, terminated 0', 'SIGINT'),

  ...frameworkExamples,
  ...guides,
  ...hono,
  ...integrations,
  ...nestjs,
  ...nodeProxies,
  ...moving,
  ...koa,

  'npm-core': (program) => echoes(program, '/echo', 'hello'),
  'npm-express': async (program) => {
    const { socket, next } = await welcomes(program, '/hello/Ada', {}, 'Hello, Ada.')
    socket.send('hello')
    expect(await next()).toBe('You said: hello')
  },
  'npm-express-handler': (program) => echoes(program, '/echo', 'hello'),

  'npm-fastify': async (program) => {
    await echoes(program, '/echo', 'hello')
    const lobby = await program.connect('/chat/lobby', {}, ['chat.v1'])
    expect(lobby.socket.protocol).toBe('chat.v1')
    expect(await lobby.next()).toBe('Welcome to lobby.')
    const { body } = await refuses(program, '/chat/cellar', {}, 404)
    expect(JSON.parse(body)).toEqual({ message: 'There is no room cellar.' })
    await welcomes(program, '/news', {}, 'no news')
    expect(await (await program.fetch('/news')).json()).toEqual({ news: [] })
  }
}

/** What the lines for a browser's console log on a page of a program. */
export const consoleLogs: Record<string, readonly string[]> = {
  'express-chat': ['hello'],
  'fastify-chat': ['hello'],
  'session-express': ['log in first'],
  'session-fastify': ['log in first'],
  'bearer-subprotocol': ['news.v1: Hello, Ada.'],
  'topics-http': ['message 1 chat/lobby\nhello']
}
