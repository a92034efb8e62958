import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { connectClient, handshake, headArrived, refused, sendRaw } from '@oneport/test-kit'

// Starting a process takes long on a busy machine.
jest.setTimeout(60_000)

const startProcess = () =>
  fork('app.ts', {
    cwd: join(__dirname, 'process'),
    execArgv: ['-r', 'esbuild-register'],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc']
  })

let child: ChildProcess
let target: { port: number }
let printed: string
let messages: unknown[]
let ended: Promise<unknown>

beforeAll(async () => {
  child = startProcess()
  printed = ''
  messages = []
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      printed += chunk.toString()
    })
  }
  ended = once(child, 'close').then(([exitCode]) => exitCode)
  const port = await Promise.race([once(child, 'message').then(([message]) => message), ended])
  if (typeof port !== 'number' || printed !== '') throw new Error(`The process did not start: ${printed}`)
  child.on('message', (message) => messages.push(message))
  target = { port }
})

afterAll(async () => {
  child.send('end')
  const exitCode = await ended
  expect({ exitCode, printed }).toEqual({ exitCode: 0, printed: '' })
})

const get = (path: string, fields = '') =>
  `GET ${path} HTTP/1.1\r\nHost: app.example\r\nConnection: close\r\n${fields}\r\n`

describe('@fastify/cookie', () => {
  test('makes the cookies of the handshake available to the handler', async () => {
    const { socket, next } = await connectClient(target, '/cookies', [], { headers: { Cookie: 'a=1; b=two' } })
    expect(JSON.parse(await next())).toEqual({ a: '1', b: 'two' })
    socket.terminate()
  })

  test('sets cookies on the 101', async () => {
    const { status, fields } = await sendRaw(target, handshake('/cookies'), headArrived)
    expect(status).toBe(101)
    expect(fields.get('set-cookie')).toEqual([
      expect.stringMatching(/^first=1; Path=\//),
      expect.stringMatching(/^second=2\..*; HttpOnly/)
    ])
  })

  test('guards an endpoint with a signed cookie', async () => {
    const withCookie = (session: string) => ({ headers: { Cookie: `session=${encodeURIComponent(session)}` } })
    const signed = (await sendRaw(target, get('/sign'))).rest
    expect(await refused(connectClient(target, '/session', [], withCookie('ann.forged')))).toBe(401)
    const { socket, next } = await connectClient(target, '/session', [], withCookie(signed))
    expect(await next()).toBe('welcome')
    socket.terminate()
  })
})

describe('a type provider', () => {
  test.each([
    ['a { websocket: true } handler', '/websocket', [8, 'abc']],
    ['a route with reply.acceptWebSocket()', '/reply', 9],
    ['wsHandler', '/both', 10],
    ['route()', '/route', 11]
  ])('converts what %s reads', async (_where, path, message) => {
    const { socket, next } = await connectClient(target, `/typed${path}/7?token=abc`)
    expect(JSON.parse(await next())).toEqual(message)
    socket.terminate()
  })

  test('refuses invalid input with 400, and leaves HTTP answers to the route', async () => {
    for (const path of ['/websocket', '/reply', '/both', '/route']) {
      expect(await refused(connectClient(target, `/typed${path}/seven`))).toBe(400)
    }
    expect(await refused(connectClient(target, '/typed/reply/0'))).toBe(403)
    expect((await sendRaw(target, get('/typed/both/7'))).rest).toBe('8')
  })
})

describe('security: a header value with a line break', () => {
  const places = ['onRequest', 'onSend', 'route']
  const values = { 'CR LF': '\r\n', LF: '\n', CR: '\r', NUL: '\0' }
  const cases = places.flatMap((place) => Object.entries(values).map(([name, end]) => [name, place, end] as const))

  test.each(cases)(
    '%s from %s gives a 500 as on an ordinary route, and the process survives',
    async (_name, place, end) => {
      const value = encodeURIComponent(`a${end}X-Injected: 1`)
      const plain = await sendRaw(target, get(`/plain/${place}`, `X-Value: ${value}\r\n`))
      const websocket = await sendRaw(target, handshake(`/websocket/${place}`, { 'X-Value': value }))
      for (const { status, fields, text } of [plain, websocket]) {
        expect(status).toBe(500)
        expect([fields.has('x-name'), fields.has('x-injected')]).toEqual([false, false])
        expect(text).not.toContain('\0')
        expect(text).toContain('ERR_INVALID_CHAR')
      }
      expect(websocket.fields.get('connection')).toEqual(['close'])
      expect(messages).toEqual([])
    }
  )
})
