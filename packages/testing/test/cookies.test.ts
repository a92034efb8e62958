import https from 'node:https'
import { acceptWebSocket, wsUpgrade } from '@oneport/express'
import { wsPlugin } from '@oneport/fastify'
import { certificate } from '@oneport/test-kit'
import express, { type Express } from 'express'
import session from 'express-session'
import Fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import request from 'supertest'
import { connect, expectRefused } from '../src/index.ts'

declare module 'express-session' {
  interface SessionData {
    user: string
    visits: number
  }
}

/** Ordinary sessions, with an endpoint that needs a login. */
function appWithSessions(): Express {
  const app = express().set('env', 'test')
  app.use(wsUpgrade())
  app.use(session({ secret: 'test', resave: false, saveUninitialized: false }))
  app.post('/login', (req, res) => {
    req.session.user = 'ada'
    res.send('Hello.')
  })
  app.get('/news', (req, res) => {
    if (req.session.user === undefined) res.status(401).send('Log in first.')
    else void acceptWebSocket(req, res, (socket) => socket.send(`Hello, ${req.session.user}.`))
  })
  return app
}

describe.each([
  ['in memory', false],
  ['over a port', true]
])('an agent of supertest, %s', (_way, port) => {
  test('logs in, and its session applies to the handshake', async () => {
    const app = appWithSessions()
    const agent = request.agent(app)
    expect((await expectRefused(app, '/news', { agent, port })).status).toBe(401)
    await agent.post('/login').expect(200)
    await using client = await connect(app, '/news', { agent, port })
    expect(await client.next()).toBe('Hello, ada.')
    expect((await expectRefused(app, '/news', { port })).status).toBe(401)
  })

  test('gets the cookies that a 101 sets, and those of a refusal', async () => {
    const app = Fastify()
    await app.register(wsPlugin)
    const set = (value: string) => async (_request: FastifyRequest, reply: FastifyReply) =>
      void reply.header('Set-Cookie', value)
    app.get('/visit', { websocket: true, onRequest: set('seen=yes; Path=/') }, () => {})
    app.get(
      '/gone',
      { onRequest: set('seen=; Path=/; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT') },
      async () => ''
    )
    app.get('/cookies', async (request) => request.headers.cookie ?? 'none')
    await app.ready()
    const agent = request.agent(app.server)
    const cookies = async (): Promise<string> => (await agent.get('/cookies')).text
    expect(await cookies()).toBe('none')
    await using client = await connect(app, '/visit', { agent, port })
    expect(client.response.headers['set-cookie']).toEqual(['seen=yes; Path=/'])
    expect(await cookies()).toBe('seen=yes')
    await expectRefused(app, '/gone', { agent, port })
    expect(await cookies()).toBe('none')
    await client.close()
    await app.close()
  })

  test('adds its cookies to those of the call', async () => {
    const app = express().set('env', 'test')
    app.use(wsUpgrade())
    app.get('/login', (_req, res) => void res.cookie('login', 'ada').send())
    app.get('/', (req, res) => acceptWebSocket(req, res, (socket) => socket.send(String(req.headers.cookie))))
    const agent = request.agent(app)
    await agent.get('/login')
    await using client = await connect(app, '/', { agent, headers: { cookie: 'theme=dark' }, port })
    expect(await client.next()).toBe('theme=dark; login=ada')
  })

  test('sends a Secure cookie only over TLS', async () => {
    const app = express().set('env', 'test')
    app.use(wsUpgrade())
    app.get('/login', (_req, res) => void res.cookie('login', 'ada', { secure: true }).send())
    app.get('/', (req, res) => acceptWebSocket(req, res, (socket) => socket.send(String(req.headers.cookie))))
    const server = https.createServer(await certificate(), app)
    const agent = request.agent(app)
    await agent.get('/login')
    await using plain = await connect(app, '/', { agent, port })
    expect(await plain.next()).toBe('undefined')
    await using secure = await connect(server, '/', { agent, port })
    expect(await secure.next()).toBe('login=ada')
  })
})
