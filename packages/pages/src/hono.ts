import { once } from 'node:events'
import { openSession, sendConnect, webSocketOn } from '@oneport/test-kit'
import { WebSocket } from 'ws'
import type { Answer, Program } from './program.ts'

type Drive = (program: Program) => Promise<void>

const foreign = { origin: 'https://evil.example' }

const heard = async (from: Answer, text: string, by: Answer = from): Promise<string> => {
  from.socket.send(text)
  return by.next()
}

async function refusesForeign(program: Program, path: string): Promise<string> {
  const { status, body } = await program.connect(path, foreign)
  expect(status).toBe(403)
  return body
}

const asAda = { headers: { Authorization: `Basic ${btoa('ada:secret')}` } }

/** The behaviour of an application before and after the move from the libraries of Hono. */
async function chats(program: Program, page: string): Promise<void> {
  const ada = await program.connect('/chat', asAda)
  expect(await ada.next()).toBe('Welcome to /chat.')
  expect(await heard(ada, 'hello')).toBe('hello')
  expect(await (await program.fetch('/chat', asAda)).text()).toBe(page)
  expect((await program.connect('/chat')).status).toBe(401)
}

async function chatsBefore(program: Program, page: string): Promise<void> {
  await chats(program, page)
  expect((await program.connect('/chat', { ...asAda, ...foreign })).status).toBe(101)
  expect((await program.connect('/chat')).body).toBe('')
}

async function chatsAfter(program: Program, page: string): Promise<void> {
  await chats(program, page)
  expect((await program.connect('/chat', { ...asAda, ...foreign })).status).toBe(403)
  expect((await program.connect('/chat')).body).toBe('Unauthorized')
}

async function servesRooms(program: Program): Promise<void> {
  const lobby = await program.connect('/chat/lobby')
  expect(await lobby.next()).toBe('Welcome to lobby.')
  expect(await heard(lobby, 'hello')).toBe('hello')
  expect(await (await program.fetch('/chat/lobby')).text()).toBe('The page of the chat')
  await refusesForeign(program, '/chat/lobby')
}

/** Drives the programs of the pages about Hono. */
export const hono: Record<string, Drive> = {
  'hono-first': async (program) => {
    expect(await heard(await program.connect('/echo'), 'hello')).toBe('hello')
    expect(await refusesForeign(program, '/echo')).toBe('Origin "https://evil.example" is not allowed here.\n')
    expect((await program.fetch('/echo')).status).toBe(426)
  },

  'hono-chat': async (program) => {
    const as = (name: string) => ({ headers: { Cookie: `login=${name}` } })
    const ada = await program.connect('/chat/lobby', as('Ada'), ['chat.v1'])
    const bob = await program.connect('/chat/lobby', as('Bob'), ['chat.v1'])
    const eve = await program.connect('/chat/kitchen', as('Eve'))
    expect(ada.socket.protocol).toBe('chat.v1')
    expect(await heard(ada, 'hello', bob)).toBe('Ada: hello')
    expect(await heard(eve, 'alone?')).toBe('Eve: alone?')
    expect((await program.connect('/chat/lobby')).status).toBe(401)
  },

  'hono-session': async (program) => {
    const refused = await program.connect('/news')
    expect([refused.status, refused.body]).toEqual([401, 'Log in first.'])
    const login = await program.fetch('/login', { method: 'POST' })
    let cookie = login.headers.get('set-cookie')?.split(';', 1)[0] ?? ''
    for (const visit of [1, 2]) {
      const { next, headers } = await program.connect('/news', { headers: { Cookie: cookie } })
      expect(await next()).toBe(`Hello, Ada. This is visit ${visit}.`)
      cookie = headers['set-cookie']?.[0]?.split(';', 1)[0] ?? ''
    }
  },

  'hono-both': async (program) => {
    expect(await (await program.connect('/news')).next()).toBe('no news')
    expect(await (await program.fetch('/news')).json()).toEqual({ news: [] })
  },

  'hono-errors': async (program) => {
    expect(JSON.parse(await refusesForeign(program, '/chat'))).toEqual({ problem: 'HANDSHAKE_ORIGIN' })
    const { status, headers, body } = await program.connect('/chat', { protocolVersion: 8 })
    expect([status, headers['sec-websocket-version']]).toEqual([426, '13'])
    expect(JSON.parse(body)).toEqual({ problem: 'HANDSHAKE_VERSION' })
  },

  'hono-options': async (program) => {
    const upload = await program.connect('/upload', { origin: 'http://localhost:5173' })
    expect(await heard(upload, 'x'.repeat(1_048_577))).toBe('1048577 characters')
    await refusesForeign(program, '/upload')
  },

  'hono-http2': async ({ port }) => {
    const session = await openSession({ port, host: 'localhost', tls: true })
    const streams = webSocketOn((await sendConnect(session, '/chat')).stream)
    const beside = new WebSocket(`wss://localhost:${port}/chat`, { rejectUnauthorized: false })
    for (const socket of [streams, beside]) {
      const [message] = await once(socket, 'message')
      expect(String(message)).toBe('Welcome.')
      socket.terminate()
    }
    session.destroy()
  },

  'hono-shutdown': async (program) => {
    const { next, closed } = await program.connect('/chat')
    expect(await next()).toBe('Welcome.')
    expect(await program.signal('SIGTERM')).toBe(0)
    expect((await closed).code).toBe(1012)
    expect(program.output).toBe('closed 1, terminated 0\n')
  },

  'npm-hono': async (program) => {
    const client = await program.connect('/hello/Ada')
    expect(await client.next()).toBe('Hello, Ada.')
    expect(await heard(client, 'hello')).toBe('You said: hello')
    const lobby = await program.connect('/chat/lobby', {}, ['chat.v1'])
    expect([await lobby.next(), lobby.socket.protocol]).toEqual(['Welcome to lobby.', 'chat.v1'])
    expect((await program.connect('/chat/cellar')).status).toBe(404)
  },

  'moving-hono-node-ws-before': (program) => chatsBefore(program, '1 here'),
  'moving-hono-node-ws': (program) => chatsAfter(program, '1 here'),
  'moving-hono-node-server-before': (program) => chatsBefore(program, 'The page of the chat'),
  'moving-hono-node-server': (program) => chatsAfter(program, 'The page of the chat'),
  'moving-hono-on-before': servesRooms,
  'moving-hono-on': servesRooms
}
