import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { handshake, headArrived, refused, sendRaw } from '@oneport/test-kit'
import { connect, echo, makeApp, start } from './harness.ts'

const foreign = { headers: { origin: 'https://evil.example' } }

describe('wsPlugin, other than @fastify/websocket:', () => {
  test('only pages of the same origin connect', async () => {
    const app = await makeApp({}, { onRefused: () => {} })
    app.get('/', { websocket: true }, echo)
    expect(await refused(connect(await start(app), '/', [], foreign))).toBe(403)
  })

  test('an ordinary route answers a handshake as any GET', async () => {
    const app = await makeApp()
    app.get('/plain', async () => 'plain')
    expect(await refused(connect(await start(app), '/plain'))).toBe(200)
  })

  test('an ordinary request at a { websocket: true } route learns what the URL is for', async () => {
    const app = await makeApp()
    app.get('/', { websocket: true }, echo)
    const { statusCode, body } = await app.inject('/')
    expect([statusCode, body]).toEqual([426, expect.stringContaining('This URL is a WebSocket endpoint')])
  })

  test('ordinary routes keep the handler that they have', async () => {
    const app = await makeApp()
    const handlers: unknown[] = []
    app.addHook('onRoute', ({ handler }) => void handlers.push(handler))
    const handler = async () => 'plain'
    app.get('/plain', handler)
    expect(handlers).toEqual([handler, handler])
  })

  test('no subprotocol is answered that the endpoint does not name', async () => {
    const app = await makeApp()
    app.get('/', { websocket: true }, echo)
    const { fields } = await sendRaw(
      await start(app),
      handshake('/', { 'Sec-WebSocket-Protocol': 'bearer.secret' }),
      headArrived
    )
    expect(fields.has('sec-websocket-protocol')).toBe(false)
  })

  test.each([
    ['1001', {}, 1001],
    ['what drain says', { drain: { code: 1012 } }, 1012]
  ])('app.close() closes connections with %s', async (_code, options, expected) => {
    const app = await makeApp({}, options)
    app.get('/', { websocket: true }, echo)
    const { socket } = await connect(await start(app), '/')
    const [[code]] = await Promise.all([once(socket, 'close'), app.close()])
    expect(code).toBe(expected)
  })

  test('decorates the instance and its requests with nothing else than websockets and acceptWebSocket', async () => {
    const app = await makeApp()
    expect(['websockets', 'websocketServer', 'injectWS'].map((name) => app.hasDecorator(name))).toEqual([
      true,
      false,
      false
    ])
    expect([app.hasReplyDecorator('acceptWebSocket'), app.hasRequestDecorator('ws')]).toEqual([true, false])
  })

  test('imports nothing of the subpath @oneport/fastify/fastify-websocket', () => {
    const folder = join(__dirname, '../src')
    const files = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile())
    const texts = files.map(({ name }) => readFileSync(join(folder, name), 'utf8'))
    expect(texts.length).toBeGreaterThan(5)
    expect(texts.filter((text) => /from '\.\/fastify-websocket/.test(text))).toEqual([])
  })

  test.each(['options', 'errorHandler', 'preClose', 'compatibility'])('has no option %s', async (name) => {
    await expect(makeApp({}, { [name]: {} })).rejects.toThrow(`wsPlugin: unknown option '${name}'; see https://`)
  })
})
