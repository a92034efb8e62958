import type { Answer, Program } from './program.ts'

type Drive = (program: Program, another: () => Promise<Program>) => Promise<void>

const foreign = { origin: 'https://evil.example' }
const asAda = { headers: { Cookie: 'login=ada' } }

const statusOf = async (program: Program, path: string, options: object = {}): Promise<number> =>
  (await program.connect(path, options)).status

const heard = async (from: Answer, text: string, by: Answer): Promise<string> => {
  from.socket.send(text)
  return by.next()
}

async function echoes(program: Program, path = '/echo'): Promise<void> {
  const client = await program.connect(path)
  expect(await heard(client, 'hello', client)).toBe('hello')
}

/** A chat that delivers messages to everyone in a room, and to no other room. */
async function chats(program: Program): Promise<void> {
  const [ada, bob] = [await program.connect('/chat/lobby'), await program.connect('/chat/lobby')]
  const eve = await program.connect('/chat/kitchen')
  expect(await heard(ada, 'hello', bob)).toBe('hello')
  expect(await ada.next()).toBe('hello')
  expect(await heard(eve, 'anybody here?', eve)).toBe('anybody here?')
  bob.socket.close()
  await bob.closed
  expect(await heard(ada, 'gone?', ada)).toBe('gone?')
  expect(await (await program.fetch('/')).text()).toContain("new WebSocket('/chat/'")
  expect(await statusOf(program, '/chat/lobby', foreign)).toBe(403)
}

/** A room that delivers messages, and what is posted, to all others in it. */
async function broadcasts(program: Program, path: string): Promise<void> {
  const [ada, bob] = [await program.connect(path), await program.connect(path)]
  expect(await heard(ada, 'hello', bob)).toBe('hello')
  const response = await program.fetch(path, { method: 'POST' })
  expect(await response.json()).toEqual({ reached: 2 })
  expect([await ada.next(), await bob.next()]).toEqual(['Dinner is ready.', 'Dinner is ready.'])
}

/** Accepts larger messages than by default, from a page on another port. */
async function takesUploads(program: Program): Promise<void> {
  const upload = await program.connect('/upload', { origin: 'http://localhost:5173' })
  expect(await heard(upload, 'x'.repeat(1_048_577), upload)).toBe('1048577 characters')
  expect(await statusOf(program, '/upload', foreign)).toBe(403)
}

/** Drives the programs of the pages about Express, Fastify, node:http and broadcasting. */
export const guides: Record<string, Drive> = {
  'home-express': async (program) => {
    const [ada, bob] = [await program.connect('/lobby'), await program.connect('/lobby')]
    expect(await heard(ada, 'hello', bob)).toBe('hello')
    expect(await ada.next()).toBe('hello')
  },

  'start-express': chats,
  'start-fastify': chats,

  'express-first': async (program) => {
    await echoes(program)
    expect((await program.fetch('/echo')).status).toBe(426)
  },

  'express-router': async (program) => {
    expect(await (await program.connect('/chat/lobby?name=Ada')).next()).toBe('Welcome to lobby, Ada.')
    expect(await statusOf(program, '/chat/cellar')).toBe(404)
  },

  'express-handler': (program) => echoes(program),

  'express-both': async (program) => {
    expect(await (await program.connect('/news')).next()).toBe('no news')
    expect(await (await program.fetch('/news')).json()).toEqual({ news: [] })
  },

  'express-user': async (program) => {
    expect(await statusOf(program, '/news')).toBe(401)
    expect(await (await program.connect('/news', asAda)).next()).toBe('Hello, Ada.')
  },

  'express-errors': async (program) => {
    const { body, headers, status } = await program.connect('/chat', foreign)
    expect([status, headers['content-type']]).toEqual([403, 'application/json; charset=utf-8'])
    expect(JSON.parse(body)).toMatchObject({ code: 'HANDSHAKE_ORIGIN' })
    expect(await statusOf(program, '/chat')).toBe(101)
  },

  'express-options': takesUploads,

  'express-drain': async (program) => {
    const { closed } = await program.connect('/chat')
    expect(await program.signal('SIGTERM')).toBe(0)
    expect((await closed).code).toBe(1012)
    expect(program.output.trim()).toBe('closed 1, terminated 0')
  },

  'express-attach': async (program) => {
    expect(await (await program.connect('/chat')).next()).toBe('Welcome.')
  },

  'fastify-first': (program) => echoes(program),
  'fastify-commonjs': (program) => echoes(program),

  'fastify-hooks': async (program) => {
    expect(await statusOf(program, '/news?since=7')).toBe(401)
    expect(await statusOf(program, '/news?since=never', asAda)).toBe(400)
    expect(await (await program.connect('/news?since=7', asAda)).next()).toBe('The news since 7.')
  },

  'fastify-both': async (program) => {
    expect(await (await program.fetch('/news')).json()).toEqual({ news: [] })
    expect(await (await program.connect('/news')).next()).toBe('no news')
    expect(JSON.parse((await program.connect('/chat/cellar')).body)).toEqual({ message: 'There is no room cellar.' })
    expect((await program.fetch('/chat/lobby')).status).toBe(426)
    const lobby = await program.connect('/chat/lobby', {}, ['chat.v1'])
    expect([lobby.socket.protocol, await lobby.next()]).toEqual(['chat.v1', 'Welcome to lobby.'])
  },

  'fastify-errors': async (program) => {
    const { body, status } = await program.connect('/chat', foreign)
    expect([status, JSON.parse(body)]).toEqual([403, { problem: 'HANDSHAKE_ORIGIN' }])
    expect(await statusOf(program, '/chat')).toBe(101)
  },

  'fastify-options': takesUploads,

  'node-http-first': async (program) => {
    await echoes(program)
    expect(await statusOf(program, '/')).toBe(404)
    expect((await program.connect('/echo', foreign)).body).toContain('evil.example')
  },

  'node-http-routes': async (program) => {
    expect(await (await program.fetch('/?greeting=1')).text()).toBe('A page.\n')
    expect(await (await program.fetch('/news')).json()).toEqual({ news: [] })
    expect(await (await program.connect('/news')).next()).toBe('no news')
    expect((await program.connect('/private')).body).toBe('Log in first.\n')
    expect(await (await program.connect('/private', asAda)).next()).toBe('Hello, Ada.')
    expect((await program.fetch('/private', asAda)).status).toBe(426)
    expect(await statusOf(program, '/nowhere')).toBe(404)
  },

  'node-http-refusals': async (program) => {
    const { body, status } = await program.connect('/', foreign)
    expect([status, JSON.parse(body)]).toEqual([403, { code: 'HANDSHAKE_ORIGIN', message: expect.any(String) }])
    expect((await program.fetch('/')).headers.get('upgrade')).toBe('websocket')
    expect((await program.connect('/', {}, ['chat.v2'])).socket.protocol).toBe('chat.v2')
  },

  'troubleshooting-redirect': async (program) => {
    const page = await program.fetch('/', { redirect: 'manual' })
    expect([page.status, page.headers.get('location')]).toEqual([302, '/login'])
    expect(await statusOf(program, '/chat')).toBe(401)
    expect(await (await program.connect('/chat', asAda)).next()).toBe('Welcome.')
  },

  'broadcasting-set': (program) => broadcasts(program, '/lobby'),
  'broadcasting-topics': (program) => broadcasts(program, '/chat/lobby'),

  'broadcasting-redis': async (program, another) => {
    const [ada, bob] = [await program.connect('/chat/lobby'), await (await another()).connect('/chat/lobby')]
    // Subscribing at Redis takes a moment.
    const speaking = setInterval(() => ada.socket.send('hello'), 20)
    expect(await bob.next()).toBe('hello')
    clearInterval(speaking)
  },

  'broadcasting-user': async (program) => {
    const as = (user: string) => program.connect('/inbox', { headers: { Authorization: user } })
    const [phone, laptop, bob] = [await as('ada'), await as('ada'), await as('bob')]
    for (const client of [phone, laptop, bob]) expect(await client.next()).toMatch(/^Hello, (?:ada|bob)\.$/)
    const response = await program.fetch('/inbox/ada', { method: 'POST' })
    expect(await response.json()).toEqual({ reached: 2 })
    expect([await phone.next(), await laptop.next()]).toEqual(['You have mail.', 'You have mail.'])
  }
}
