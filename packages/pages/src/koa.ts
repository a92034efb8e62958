import { once } from 'node:events'
import { openSession, sendConnect, webSocketOn } from '@oneport/test-kit'
import type { Program } from './program.ts'

const foreign = { origin: 'https://evil.example' }

async function echoes(program: Program, path = '/echo'): Promise<void> {
  const { socket, next } = await program.connect(path)
  socket.send('hello')
  expect(await next()).toBe('hello')
}

const welcomes = async (program: Program, path: string, text: string): Promise<void> =>
  expect(await (await program.connect(path)).next()).toBe(text)

/** Drives the programs of the pages about Koa. */
export const koa: Record<string, (program: Program) => Promise<void>> = {
  'koa-first': async (program) => {
    await echoes(program)
    expect((await program.fetch('/echo')).status).toBe(426)
    expect((await program.connect('/other')).status).toBe(404)
  },

  'koa-router': async (program) => {
    await welcomes(program, '/chat/lobby?name=Ada', 'Welcome to lobby, Ada.')
    const { status, body } = await program.connect('/chat/cellar')
    expect([status, body]).toEqual([404, 'There is no such room.'])
  },

  'koa-both': async (program) => {
    await welcomes(program, '/news', 'no news')
    expect(await (await program.fetch('/news')).json()).toEqual({ news: [] })
  },

  'koa-onion': async (program) => {
    const { headers, next } = await program.connect('/chat')
    expect(headers['x-response-time']).toMatch(/^\d+ms$/)
    expect(headers['set-cookie']).toEqual(['visited=/chat; path=/; httponly'])
    expect(await next()).toBe('Welcome.')
  },

  'koa-chat': async (program) => {
    const refused = await program.connect('/chat/lobby')
    expect([refused.status, refused.body]).toEqual([401, 'Log in first.'])
    const enter = async (user: string, room: string) => {
      const login = await program.fetch(`/login/${user}`, { method: 'POST' })
      const cookies = login.headers.getSetCookie().map((field) => field.split(';', 1)[0])
      return program.connect(`/chat/${room}`, { headers: { Cookie: cookies.join('; ') } })
    }
    const [ada, bob, eve] = [await enter('ada', 'lobby'), await enter('bob', 'lobby'), await enter('eve', 'kitchen')]
    ada.socket.send('hello')
    expect([await ada.next(), await bob.next()]).toEqual(['ada: hello', 'ada: hello'])
    eve.socket.send('alone')
    expect(await eve.next()).toBe('eve: alone')
  },

  'koa-errors': async (program) => {
    const { body, status } = await program.connect('/', foreign)
    expect([status, JSON.parse(body)]).toEqual([403, { code: 'HANDSHAKE_ORIGIN', message: expect.any(String) }])
    await welcomes(program, '/', 'Welcome.')
  },

  'koa-options': async (program) => {
    const { socket, next } = await program.connect('/upload', { origin: 'http://localhost:5173' })
    socket.send('x'.repeat(2 * 1_048_576))
    expect(await next()).toBe('2097152 characters')
  },

  'koa-mounted': async (program) => {
    const { socket, next } = await program.connect('/chat/lobby', {}, ['chat.v1'])
    expect([socket.protocol, await next()]).toEqual(['chat.v1', 'Welcome to /lobby.'])
    expect((await program.connect('/lobby')).status).toBe(404)
  },

  'koa-drain': async (program) => {
    const { closed } = await program.connect('/')
    expect(await program.signal('SIGTERM')).toBe(0)
    expect((await closed).code).toBe(1012)
    expect(program.output.trim()).toBe('closed 1, terminated 0')
  },

  'koa-attach': async (program) => {
    await welcomes(program, '/', 'Welcome.')
    expect(program.output).toBe('')
  },

  'koa-http2': async ({ port }) => {
    const session = await openSession({ port, host: 'localhost', tls: true })
    const socket = webSocketOn((await sendConnect(session, '/')).stream)
    const [message] = await once(socket, 'message')
    session.destroy()
    expect(String(message)).toBe('Welcome.')
  },

  'koa-typed': async (program) => {
    const { socket, next } = await program.connect('/chat/lobby', { headers: { Authorization: 'Ada' } }, ['chat.v1'])
    expect([socket.protocol, await next()]).toEqual(['chat.v1', 'Ada in lobby'])
  },

  'proxy-koa': async (program) => {
    const origin = 'https://app.example'
    const headers = { 'X-Forwarded-Host': 'app.example' }
    expect((await program.connect('/', { origin })).status).toBe(403)
    expect(await (await program.connect('/', { origin, headers })).next()).toBe('Welcome.')
  },

  'npm-koa': async (program) => {
    const { socket, next } = await program.connect('/hello/Ada')
    expect(await next()).toBe('Hello, Ada.')
    socket.send('hello')
    expect(await next()).toBe('You said: hello')
  }
}
