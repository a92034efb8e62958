import { Readable } from 'node:stream'
import { closed, handshake, type Inbox, sendRaw, signal } from '@oneport/test-kit'
import type { ErrorRequestHandler, NextFunction, Request, Response } from 'express'
import { acceptWebSocket, wsUpgrade } from '../src/index.ts'
import { ask, useServers } from './servers.ts'
import { versions } from './versions.ts'

const { serve, connect } = useServers()

type Late = (res: Response, next: NextFunction, req: Request) => unknown

/** Client frames, masked with zeros: `hello`, then a close with 1000. */
const frames = Buffer.concat([
  Buffer.from([0x81, 0x85, 0, 0, 0, 0]),
  Buffer.from('hello'),
  Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8])
])

/** Resolves to the answer to a message, or to how the connection ended instead. */
const askOrEnd = (client: Inbox, message: string) => Promise.race([ask(client, message), closed(client.socket)])

/** The server's answer to these frames, if nothing else is written. */
const answers = '\x81\x05hello\x88\x02\x03\xe8'

const calls: [string, Late][] = [
  ["res.end('x')", (res) => res.end('x')],
  ["res.write('x')", (res) => res.write('x')],
  ["res.send('x')", (res) => res.send('x')],
  ['res.json()', (res) => res.json({ x: 1 })],
  ['res.sendStatus(500)', (res) => res.sendStatus(500)],
  ['res.redirect()', (res) => res.redirect('/elsewhere')],
  ['res.writeHead(200)', (res) => res.writeHead(200).end('x')],
  ['res.writeContinue()', (res) => res.writeContinue()],
  ['res.flushHeaders()', (res) => res.flushHeaders()],
  ['res.addTrailers()', (res) => res.addTrailers({ 'X-Late': 'yes' })],
  [
    'stream.pipe(res)',
    (res) =>
      Readable.from(['x', 'y'])
        .on('error', () => {})
        .pipe(res)
        .on('error', () => {})
  ],
  ['next()', (_res, next) => next()],
  ["next('route')", (_res, next) => next('route')]
]

/** Calls that reach Express as an error after the 101. Its last handler cannot answer any more. */
const faults: [string, Late][] = [
  ['next(error)', (_res, next) => next(new Error('late'))],
  [
    'a throw',
    () => {
      throw new Error('late')
    }
  ],
  ["res.send('x') that throws", (res) => res.status(500).set('X-Late', 'yes').send('x')],
  ['a second acceptWebSocket()', (res, _next, req) => acceptWebSocket(req, res, () => {})]
]

describe.each(versions)('After a 101 in %s', (_name, express) => {
  /** An application whose endpoint does something with its response after it has accepted. */
  function makeApp(atOnce: Late, onMessage: Late = () => {}) {
    const app = express()
    const tried: string[] = []
    app.use(wsUpgrade())
    app.get('/late', (req, res, next) => {
      void acceptWebSocket(req, res, (socket) => {
        socket.on('message', (data) => {
          try {
            onMessage(res, next, req)
          } catch (error) {
            tried.push(String(error))
          }
          socket.send(String(data))
        })
      })
      return atOnce(res, next, req) as undefined
    })
    app.get('/late', (_req, res) => void res.send('a later route'))
    return { app, tried }
  }

  const contained =
    (late: Late): Late =>
    (...args) => {
      try {
        late(...args)
      } catch {}
    }

  test.each(calls)('%s in the route writes nothing to the connection', async (_call, late) => {
    const { app } = makeApp(contained(late))
    const response = await sendRaw(await serve(app), Buffer.concat([Buffer.from(handshake('/late')), frames]))
    expect(response.status).toBe(101)
    expect(response.rest).toBe(answers)
  })

  test.each(calls)('%s in a listener, later on, writes nothing to the connection', async (_call, late) => {
    const { app } = makeApp(() => {}, late)
    const response = await sendRaw(await serve(app), Buffer.concat([Buffer.from(handshake('/late')), frames]))
    expect(response.status).toBe(101)
    expect(response.rest).toBe(answers)
  })

  test.each(faults)('%s in the route does not affect the connection and its frames', async (_fault, late) => {
    const { app } = makeApp(late)
    const target = await serve(app)
    const client = await connect(target, '/late')
    expect(await askOrEnd(client, 'hello')).toBe('hello')
    const page = await sendRaw(target, 'GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n')
    expect(page.status).toBe(404)
  })

  test('a much later error of the application does not affect the connection', async () => {
    const late = signal()
    const { app } = makeApp((_res, next) => {
      late.given.then(() => next(new Error('late')), next)
    })
    const client = await connect(await serve(app), '/late')
    expect(await ask(client, 'one')).toBe('one')
    late.give()
    await late.given
    expect(await askOrEnd(client, 'two')).toBe('two')
  })

  test('error middleware that answers writes nothing, and the connection ends as the client wants', async () => {
    const { app } = makeApp((_res, next) => next(new Error('late')))
    const seen: unknown[] = []
    app.use(((error, _req, res, _next) => {
      seen.push(error.message)
      if (!res.headersSent) res.status(500).send('an error page')
    }) as ErrorRequestHandler)
    const client = await connect(await serve(app), '/late')
    expect(await ask(client, 'hello')).toBe('hello')
    expect(seen).toEqual(['late'])
    const end = closed(client.socket)
    client.socket.close(4000, 'enough')
    expect(await end).toEqual({ code: 4000, reason: 'enough' })
  })

  test('the response looks finished: headers sent, status 101, finish and close emitted once', async () => {
    const events: string[] = []
    const over = signal()
    const app = express()
    app.use((_req, res, next) => {
      res.on('finish', () => events.push(`finish ${res.statusCode}`))
      res.on('close', () => {
        events.push('close')
        over.give()
      })
      next()
    })
    app.use(wsUpgrade())
    app.get('/chat', async (req, res) => {
      await acceptWebSocket(req, res, (socket) => socket.on('message', (data) => socket.send(String(data))))
      events.push(`accepted ${res.headersSent} ${res.writableEnded}`)
    })
    const client = await connect(await serve(app), '/chat')
    await over.given
    expect(await ask(client, 'hello')).toBe('hello')
    const end = closed(client.socket)
    client.socket.close()
    await end
    expect(events.toSorted()).toEqual(['accepted true true', 'close', 'finish 101'])
  })
})
