import { once } from 'node:events'
import { WebSocket } from 'ws'
import type { Answer, Program } from './program.ts'

const asAda = { headers: { Authorization: 'Ada' } }
const foreign = { origin: 'https://evil.example' }

const heard = async (from: Answer, text: string, by: Answer): Promise<string> => {
  from.socket.send(text)
  return by.next()
}

/** The behaviour of the application before and after the move from express-ws. */
async function chatsAsUser(program: Program): Promise<void> {
  const [ada, bob] = [await program.connect('/chat', asAda), await program.connect('/chat', asAda)]
  expect(await heard(ada, 'hello', bob)).toBe('Ada: hello')
  expect(await (await program.fetch('/chat', asAda)).text()).toBe('2 here')
  expect((await program.fetch('/chat')).status).toBe(401)
}

async function servesRooms(program: Program): Promise<void> {
  const lobby = await program.connect('/chat/lobby')
  expect(await heard(lobby, 'hello', lobby)).toBe('lobby: hello')
  expect(await (await program.fetch('/chat/lobby')).text()).toBe('The page of lobby')
  expect((await program.connect('/chat/lobby', foreign)).status).toBe(403)
}

async function broadcasts(program: Program): Promise<void> {
  const [ada, bob] = [await program.connect('/chat', asAda), await program.connect('/chat', asAda)]
  expect(await heard(ada, 'hello', bob)).toBe('hello')
  expect((await program.connect('/chat')).status).toBe(401)
  expect((await program.connect('/other', asAda)).status).toBe(404)
  expect(await (await program.fetch('/')).text()).toBe('Nothing here.')
}

async function publishes(program: Program): Promise<void> {
  const [ada, bob] = [await program.connect('/chat', asAda), await program.connect('/chat', asAda)]
  expect([await ada.next(), await bob.next()]).toEqual(['Welcome.', 'Welcome.'])
  expect(await heard(ada, 'hello', bob)).toBe('hello')
  const { status, body } = await program.connect('/chat')
  expect([status, body]).toEqual([401, 'Log in first.'])
  ada.socket.close(4000)
  await program.printed('closed with 4000')
}

/** The behaviour of the applications before and after the move from koa-websocket. */
async function chatsInRoom(program: Program): Promise<void> {
  const [ada, bob] = [await program.connect('/chat/lobby', asAda), await program.connect('/chat/lobby', asAda)]
  expect(await heard(ada, 'hello', bob)).toBe('lobby: hello')
  expect(await (await program.fetch('/chat/lobby')).text()).toBe('The page of lobby')
}

async function countsOverTls({ port }: Program): Promise<void> {
  const socket = new WebSocket(`wss://localhost:${port}/`, { rejectUnauthorized: false })
  await once(socket, 'open')
  socket.send('x'.repeat(65_536))
  const [message] = await once(socket, 'message')
  expect(String(message)).toBe('65536 characters')
  socket.send('x'.repeat(65_537))
  const [code] = await once(socket, 'close')
  expect(code).toBe(1009)
}

/** The behaviour of the applications before and after the move from koa-easy-ws. */
async function greetsOnBoth(program: Program, path: string, answer: string): Promise<void> {
  const client = await program.connect(path)
  expect(await client.next()).toBe('hello there')
  expect(await heard(client, 'hello', client)).toBe(answer)
  expect(await (await program.fetch(path)).text()).toBe('general kenobi')
}

const say = (text: string) => JSON.stringify({ event: 'say', data: text })
const said = (text: string) => JSON.stringify({ event: 'said', data: text })

/** The behaviour of the gateway before and after the move from @nestjs/platform-ws. */
async function saysAsUser(program: Program): Promise<void> {
  const [ada, bob] = [await program.connect('/chat', asAda), await program.connect('/chat', asAda)]
  expect(await heard(ada, say('hello'), bob)).toBe(said('hello'))
  const { status, closed } = await program.connect('/chat')
  expect([status, await closed]).toEqual([101, { code: 1008, reason: 'Log in first.' }])
}

async function saysHello(program: Program): Promise<void> {
  const ada = await program.connect('/chat', asAda)
  expect(await heard(ada, '{"event":"hello"}', ada)).toBe('{"event":"hello","data":"Welcome."}')
}

const statusOfForeign = async (program: Program): Promise<number> =>
  (await program.connect('/chat', { ...asAda, ...foreign })).status

/**
 * Drives the programs of the pages about moving: each with the other library before the move, and with Oneport after
 * it.
 */
export const moving: Record<string, (program: Program) => Promise<void>> = {
  'moving-express-ws-before': async (program) => {
    await chatsAsUser(program)
    expect(await statusOfForeign(program)).toBe(101)
    const { status, closed } = await program.connect('/chat')
    expect([status, (await closed).code]).toEqual([101, 1005])
  },

  'moving-express-ws': async (program) => {
    await chatsAsUser(program)
    expect(await statusOfForeign(program)).toBe(403)
    const { status, body } = await program.connect('/chat')
    expect([status, body]).toEqual([401, 'Log in first.'])
  },

  'moving-express-ws-on-before': servesRooms,
  'moving-express-ws-on': servesRooms,

  'moving-platform-ws-before': async (program) => {
    await saysAsUser(program)
    expect(await statusOfForeign(program)).toBe(101)
  },

  'moving-platform-ws': async (program) => {
    await saysAsUser(program)
    expect(await statusOfForeign(program)).toBe(403)
    expect((await program.connect('/other')).status).toBe(404)
  },

  'moving-platform-ws-guard-before': async (program) => {
    await saysHello(program)
    const { status, closed } = await program.connect('/chat')
    expect([status, await closed]).toEqual([101, { code: 1008, reason: 'Log in first.' }])
  },

  'moving-platform-ws-guard': async (program) => {
    await saysHello(program)
    const { status, body } = await program.connect('/chat')
    expect([status, JSON.parse(body)]).toEqual([
      401,
      { statusCode: 401, error: 'Unauthorized', message: 'Log in first.' }
    ])
  },

  'moving-ws-before': async (program) => {
    await broadcasts(program)
    expect(await statusOfForeign(program)).toBe(101)
  },

  'moving-ws': async (program) => {
    await broadcasts(program)
    expect(await statusOfForeign(program)).toBe(403)
    expect((await program.connect('/chat')).body).toBe('Log in first.')
  },

  'moving-ws-one-path': async (program) => {
    expect(await (await program.connect('/chat')).next()).toBe('Welcome.')
    expect(await (await program.connect('/admin', asAda)).next()).toBe('Hello, Ada.')
    expect((await program.connect('/admin')).status).toBe(401)
    expect((await program.connect('/other')).status).toBe(404)
  },

  'moving-ws-options': async (program) => {
    const { next, headers } = await program.connect('/', { origin: 'https://app.example' }, ['chat.v1', 'chat.v2'])
    expect(await next()).toBe('chat.v2, 1 open')
    expect([headers['x-server'], headers['sec-websocket-extensions']]).toEqual(['one', 'permessage-deflate'])
  },

  'moving-crossws-before': async (program) => {
    await publishes(program)
    expect(await statusOfForeign(program)).toBe(101)
  },

  'moving-crossws': async (program) => {
    await publishes(program)
    expect(await statusOfForeign(program)).toBe(403)
  },

  'moving-koa-websocket-before': async (program) => {
    await chatsInRoom(program)
    const { closed, status } = await program.connect('/chat/lobby')
    expect([status, await closed]).toEqual([101, { code: 4401, reason: 'Log in first.' }])
    expect((await program.connect('/chat/lobby', { ...asAda, ...foreign })).status).toBe(101)
    expect((await program.connect('/other', asAda)).status).toBe(101)
  },

  'moving-koa-websocket': async (program) => {
    await chatsInRoom(program)
    const { body, status } = await program.connect('/chat/lobby')
    expect([status, body]).toEqual([401, 'Log in first.'])
    expect((await program.connect('/chat/lobby', { ...asAda, ...foreign })).status).toBe(403)
    expect((await program.connect('/other', asAda)).status).toBe(404)
  },

  'moving-koa-websocket-options-before': countsOverTls,
  'moving-koa-websocket-options': countsOverTls,

  'moving-koa-easy-ws-before': async (program) => {
    await greetsOnBoth(program, '/news/weather', 'weather: hello')
    expect((await program.connect('/news/weather', foreign)).status).toBe(101)
  },

  'moving-koa-easy-ws': async (program) => {
    await greetsOnBoth(program, '/news/weather', 'weather: hello')
    expect((await program.connect('/news/weather', foreign)).status).toBe(403)
  },

  'moving-koa-easy-ws-bridge': async (program) => {
    await greetsOnBoth(program, '/', 'You said: hello')
    const { body, status } = await program.connect('/', foreign)
    expect([status, body]).toEqual([403, 'Origin "https://evil.example" is not allowed here.'])
  }
}
