import { createHmac } from 'node:crypto'
import type { Program } from './program.ts'

type Drive = (program: Program, another: (env?: NodeJS.ProcessEnv) => Promise<Program>) => Promise<void>

const say = (data: string): string => JSON.stringify({ event: 'say', data })
const foreign = { origin: 'https://evil.example' }

/** A JSON Web Token, signed with the secret of the page. */
function tokenOf(payload: object, secret = 'only for development'): string {
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const text = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(payload)}`
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
}

/** Seconds since 1970, in an hour. */
const exp = Math.floor(Date.now() / 1000) + 3_600

const bearing = (token: string): object => ({ headers: { Authorization: `Bearer ${token}` } })

/** Drives the programs of the page about NestJS. */
export const nestjs: Record<string, Drive> = {
  'npm-nestjs': async (program) => {
    expect((await program.connect('/chat/lobby')).status).toBe(403)
    const { next, socket } = await program.connect('/chat/lobby', { headers: { Cookie: 'login=ada' } })
    expect(await next()).toBe('Welcome to lobby.')
    socket.send(say('hello'))
    expect(JSON.parse(await next())).toEqual({ event: 'said', data: 'hello' })
  },

  'nest-chat': async (program) => {
    for (const options of [{}, bearing('x'), bearing(tokenOf({ name: 'Eve' }, 'another secret'))]) {
      const { status, body } = await program.connect('/chat/lobby', options)
      expect([status, JSON.parse(body).message]).toEqual([401, 'Log in first.'])
    }
    const [ada, bob] = [
      await program.connect('/chat/lobby', bearing(tokenOf({ name: 'Ada', exp }))),
      await program.connect('/chat/lobby', bearing(tokenOf({ name: 'Bob', exp })))
    ]
    expect([await ada.next(), await bob.next()]).toEqual(['Welcome to lobby, Ada.', 'Welcome to lobby, Bob.'])
    ada.socket.send(say('hello'))
    expect(JSON.parse(await ada.next())).toEqual({ event: 'said', data: 'hello' })
    expect(await bob.next()).toBe('hello')
    expect(program.output).not.toContain('ERROR')
    ada.socket.send(say('x'.repeat(65_536)))
    expect((await ada.closed).code).toBe(1009)
    expect(
      (await program.connect('/chat/lobby', { ...bearing(tokenOf({ name: 'Ada', exp })), ...foreign })).status
    ).toBe(403)
  },

  'nest-route': async (program) => {
    const { next, socket } = await program.connect('/api/feeds/7', {}, ['feed.v1'])
    expect([await next(), socket.protocol]).toEqual(['feed 7', 'feed.v1'])
    socket.send('hello')
    expect(await next()).toBe('You said: hello')
    expect((await program.connect('/api/feeds/x')).status).toBe(400)
    expect((await program.fetch('/api/feeds/7')).status).toBe(426)
  },

  'nest-topics': async (program) => {
    expect((await program.connect('/topics', {}, ['oneport.topics.1'])).status).toBe(403)
    const { next, socket } = await program.connect('/topics?name=ada', {}, ['oneport.topics.1'])
    socket.send('subscribe - inbox/bob')
    expect(await next()).toBe('error forbidden subscribe - inbox/bob')
    socket.send('subscribe - chat/lobby')
    await next()
    const post = (name: string) => program.fetch(`/topics?topic=chat/lobby&id=1${name}`, { method: 'POST', body: 'hi' })
    expect((await post('')).status).toBe(403)
    expect(await (await post('&name=bob')).json()).toEqual({ offset: 1 })
    expect(await next()).toBe('message 1 chat/lobby\nhi')
    expect(
      (await program.fetch('/topics?name=ada&topic=chat/lobby', { headers: { Origin: foreign.origin } })).status
    ).toBe(403)
  },

  'nest-filter': async (program) => {
    const { body, status } = await program.connect('/chat', foreign)
    expect([status, JSON.parse(body)]).toEqual([403, { problem: 'HANDSHAKE_ORIGIN' }])
    await program.printed('HANDSHAKE_ORIGIN')
    expect(program.output).toContain('WARN')
    expect(program.output).not.toContain('ERROR')
  },

  'nest-config': async (program, another) => {
    expect((await program.connect('/chat', { origin: program.origin })).status).toBe(101)
    expect((await program.connect('/chat', { origin: 'https://app.example' })).status).toBe(403)
    const configured = await another({ ALLOWED_ORIGINS: 'https://app.example', MAX_CONNECTIONS: '1' })
    expect((await configured.connect('/chat', { origin: 'https://app.example' })).status).toBe(101)
    expect((await configured.connect('/chat', { origin: 'https://app.example' })).status).toBe(503)
  },

  'nest-shutdown': async (program) => {
    const { closed, next } = await program.connect('/chat')
    expect(await next()).toBe('Welcome.')
    program.tell('SIGTERM')
    expect(await closed).toEqual({ code: 1012, reason: 'restart' })
  }
}
