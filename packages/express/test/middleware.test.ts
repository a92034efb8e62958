import { once } from 'node:events'
import { closed, handshake, headArrived, refused, sendRaw, signal } from '@oneport/test-kit'
import * as testing from '@oneport/testing'
import type { Express, Response } from 'express'
import session from 'express-session'
import helmet from 'helmet'
import morgan from 'morgan'
import request from 'supertest'
import { acceptWebSocket, wsUpgrade } from '../src/index.ts'
import { ask, echo, useServers } from './servers.ts'
import { versions } from './versions.ts'

declare module 'express-session' {
  interface SessionData {
    user: string
    visits: number
  }
}

const { serve, connect, open } = useServers()

describe.each(versions)('express-session in %s', (_name, express) => {
  function makeApp(store = new session.MemoryStore()): Express {
    const app = express()
    app.use(session({ secret: 'for tests', resave: false, saveUninitialized: true, name: 'sid', store }))
    app.use(wsUpgrade())
    return app
  }

  test('sets its cookie on the 101', async () => {
    const app = makeApp()
    app.get('/chat', (req, res) => acceptWebSocket(req, res, echo))
    const { response } = await testing.connect(app, '/chat')
    expect(response.headers['set-cookie']).toEqual([expect.stringMatching(/^sid=s%3A[^;]+; Path=\/; HttpOnly$/)])
  })

  test('gives the handler the session of a login over HTTP', async () => {
    const app = makeApp()
    app.post('/login', (req, res) => {
      req.session.user = 'Ada'
      res.sendStatus(204)
    })
    app.get('/chat', (req, res) =>
      acceptWebSocket(req, res, (socket, { session: { user } }) => {
        socket.send(`${user} ${req.session.user}`)
      })
    )
    const agent = request.agent(app)
    await agent.post('/login').expect(204)
    const client = await testing.connect(app, '/chat', { agent })
    expect(await client.next()).toBe('Ada Ada')
    expect(client.response.headers['set-cookie']).toBeUndefined()
  })

  test('saves what middleware changed before the handshake was accepted', async () => {
    const store = new session.MemoryStore()
    const saved = signal<session.SessionData>()
    const set = store.set.bind(store)
    store.set = (id, data, callback) =>
      set(id, data, (error) => {
        callback?.(error)
        saved.give(data)
      })
    const app = makeApp(store)
    app.use((req, _res, next) => {
      req.session.visits = (req.session.visits ?? 0) + 1
      next()
    })
    app.get('/chat', (req, res) => acceptWebSocket(req, res, echo))
    app.get('/visits', (req, res) => void res.json(req.session.visits))
    const agent = request.agent(app)
    const client = await testing.connect(app, '/chat', { agent })
    expect(await saved.given).toMatchObject({ visits: 1 })
    client.send('hello')
    expect(await client.next()).toBe('hello')
    expect((await agent.get('/visits')).body).toBe(2)
  })

  test('lets the handler save later changes', async () => {
    const store = new session.MemoryStore()
    const app = makeApp(store)
    const saved = signal()
    app.get('/chat', (req, res) =>
      acceptWebSocket(req, res, (socket) => {
        socket.on('message', (data) => {
          req.session.user = String(data)
          req.session.save(() => saved.give())
        })
      })
    )
    app.get('/user', (req, res) => void res.send(req.session.user))
    const agent = request.agent(app)
    const client = await testing.connect(app, '/chat', { agent })
    client.send('Ada')
    await saved.given
    expect((await agent.get('/user')).text).toBe('Ada')
  })

  test('sets its cookie on a refusal too', async () => {
    const app = makeApp()
    app.get('/chat', (_req, res) => void res.status(401).send('Log in first'))
    const { body, headers, status } = await testing.expectRefused(app, '/chat')
    expect([status, body]).toEqual([401, 'Log in first'])
    expect(headers['set-cookie']).toEqual([expect.stringMatching(/^sid=/)])
  })
})

describe.each(versions)('helmet in %s', (_name, express) => {
  test('sets its fields on the 101 as on every response', async () => {
    const app = express()
    app.use(helmet())
    app.use(wsUpgrade())
    app.get('/page', (_req, res) => void res.send('page'))
    app.get('/chat', (req, res) => acceptWebSocket(req, res, echo))
    const target = await serve(app)
    const page = await sendRaw(target, 'GET /page HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n')
    const opened = await sendRaw(target, handshake('/chat'), headArrived)
    expect(opened.status).toBe(101)
    const ofHelmet = [...page.fields].filter(([name]) =>
      /^(x-(?!powered)|strict|content-security|cross|origin|ref)/.test(name)
    )
    expect(ofHelmet.length).toBeGreaterThanOrEqual(10)
    for (const [name, values] of ofHelmet) expect([name, opened.fields.get(name)]).toEqual([name, values])
    expect(opened.fields.has('x-powered-by')).toBe(false)
  })
})

describe.each(versions)('morgan in %s', (_name, express) => {
  /** An application whose access log calls `done` for each request to `/done`. */
  function makeApp() {
    const lines: string[] = []
    const done = signal()
    const app = express()
    const write = (line: string) => {
      lines.push(line.trimEnd())
      if (line.includes('/done')) done.give()
    }
    app.use(morgan(':method :url :status', { stream: { write } }))
    app.use(wsUpgrade({ onRefused: () => {} }))
    app.get('/chat', (req, res) => acceptWebSocket(req, res, echo))
    app.get('/guarded', (_req, res) => void res.status(401).send('Log in first'))
    return { app, lines, done: done.given }
  }

  const last = 'GET /done HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n'

  test('logs an accepted handshake once, with 101, while the connection is open', async () => {
    const { app, lines, done } = makeApp()
    const target = await serve(app)
    const client = await connect(target, '/chat?x=1')
    expect(await ask(client, 'hello')).toBe('hello')
    expect(lines).toEqual(['GET /chat?x=1 101'])
    const end = closed(client.socket)
    client.socket.close()
    await end
    await sendRaw(target, last)
    await done
    expect(lines).toEqual(['GET /chat?x=1 101', 'GET /done 404'])
  })

  test('logs a refused handshake once, with the status of the refusal', async () => {
    const { app, lines, done } = makeApp()
    const target = await serve(app)
    expect((await sendRaw(target, handshake('/chat', { Origin: 'https://evil.example' }))).status).toBe(403)
    expect((await sendRaw(target, handshake('/chat', { 'Sec-WebSocket-Version': '8' }))).status).toBe(426)
    expect(await refused(connect(target, '/guarded'))).toBe(401)
    expect(await refused(connect(target, '/nowhere'))).toBe(404)
    await sendRaw(target, last)
    await done
    expect(lines).toEqual(['GET /chat 403', 'GET /chat 426', 'GET /guarded 401', 'GET /nowhere 404', 'GET /done 404'])
  })
})

describe.each(versions)('express.json() in %s', (_name, express) => {
  function makeApp(): Express {
    const app = express()
    app.use(wsUpgrade())
    app.use(express.json(), express.urlencoded({ extended: false }))
    app.post('/sum', (req, res) => void res.send(`sum ${req.body.a + req.body.b}.`))
    app.get('/chat', (req, res) => acceptWebSocket(req, res, echo))
    return app
  }
  const body = JSON.stringify({ a: 2, b: 3 })
  const post = `POST /sum HTTP/1.1\r\nHost: app.example\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`
  const hello = Buffer.concat([Buffer.from([0x81, 0x85, 0, 0, 0, 0]), Buffer.from('hello')])

  test('reads a body, then the handshake on the same connection is accepted and frames work', async () => {
    const raw = await open(await serve(makeApp()))
    raw.write(post)
    raw.write(body)
    let text = ''
    raw.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
    })
    while (!text.endsWith('sum 5.')) await once(raw, 'data')
    raw.write(Buffer.concat([Buffer.from(handshake('/chat')), hello]))
    while (!text.endsWith('\x81\x05hello')) await once(raw, 'data')
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n.*sum 5\.HTTP\/1\.1 101 Switching Protocols\r\n.*\r\n\r\n.{2}hello$/s)
  })

  test('reads a body with the handshake pipelined right behind it', async () => {
    const bytes = Buffer.concat([Buffer.from(post + body + handshake('/chat')), hello])
    const { text } = await sendRaw(await serve(makeApp()), bytes, (all) => all.endsWith('\x81\x05hello'))
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n.*sum 5\.HTTP\/1\.1 101 Switching Protocols\r\n.*\r\n\r\n.{2}hello$/s)
  })
})

describe.each(versions)('A header value in %s', (_name, express) => {
  const breaks: [string, string][] = [
    ['CR LF', 'a\r\nX-Injected: yes'],
    ['CR', 'a\rX-Injected: yes'],
    ['LF', 'a\nX-Injected: yes'],
    ['NUL', 'a\0X-Injected: yes']
  ]

  describe.each(breaks)('security: with %s', (_what, value) => {
    test.each<[string, (res: Response) => unknown]>([
      ['res.setHeader', (res) => res.setHeader('X-Name', value)],
      ['res.set', (res) => res.set('X-Name', value)],
      ['res.append', (res) => res.append('X-Name', value)],
      ['res.setHeader with a list', (res) => res.setHeader('X-Name', ['a', value])]
    ])('throws in %s, and the application answers 500 without it', async (_call, set) => {
      const thrown: unknown[] = []
      const accepted: unknown[] = []
      const app = express()
      app.use(wsUpgrade())
      app.use((_req, res, next) => {
        try {
          set(res)
        } catch (error) {
          thrown.push(error)
          throw error
        }
        next()
      })
      app.get('/chat', (req, res) => acceptWebSocket(req, res, (socket) => accepted.push(socket)))
      const response = await sendRaw(await serve(app), handshake('/chat'))
      expect(thrown).toEqual([expect.objectContaining({ code: 'ERR_INVALID_CHAR' })])
      expect(accepted).toEqual([])
      expect(response.status).toBe(500)
      expect(response.text).not.toContain('Injected')
      expect(response.fields.has('x-name')).toBe(false)
    })
  })

  test('security: with a line break in a cookie is encoded or throws, and is never sent', async () => {
    const app = express()
    app.use(wsUpgrade())
    app.get('/chat', (req, res) => {
      res.cookie('name', 'a\r\nX-Injected: yes')
      return acceptWebSocket(req, res, echo)
    })
    const response = await sendRaw(await serve(app), handshake('/chat'), headArrived)
    expect(response.status).toBe(101)
    expect(response.fields.has('x-injected')).toBe(false)
    expect(response.fields.get('set-cookie')).toEqual(['name=a%0D%0AX-Injected%3A%20yes; Path=/'])
  })
})
