import { once } from 'node:events'
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { HandshakeError, serveTopics, wsUpgrade } from '@oneport/express'
import cookieParser from 'cookie-parser'
import express, {
  type ErrorRequestHandler,
  type Express,
  type NextFunction,
  type Request,
  type Response
} from 'express'
import { type Address, drainMs, type Running } from './address.ts'
import { Chat } from './chat.ts'
import { keepConnections } from './connections.ts'
import { sentBy, showConnected } from './exchange.ts'
import { maxPayloadBytes } from './message.ts'
import { cleanNickname, nicknameCookie, nicknameMaxAge, nicknameRule } from './nickname.ts'
import { clientFile, clientFolder, isOwnPage, publicFolder, readPage, securityFields } from './page.ts'
import { isFault, provoke } from './provoke.ts'
import { isRoom, roomRule } from './room.ts'

/** Serves the demo with Express. */
export async function startExpress({ host, port, tls, backplane, kill }: Address): Promise<Running> {
  const app = express().disable('x-powered-by')
  const ws = wsUpgrade()
  app.use(ws)
  app.use((_req, res, next) => {
    res.set(securityFields)
    next()
  })
  app.use(cookieParser())

  const chat = new Chat(backplane)
  serveChat(app, chat)
  serveLogin(app)
  app.use(express.static(publicFolder))
  app.get('/r/:room', (_req, res) => res.sendFile('index.html', { root: publicFolder }))
  app.get('/client.mjs', (_req, res) => res.sendFile(clientFile, { root: clientFolder }))
  app.post('/provoke/:fault', async (req, res, next) => {
    const { fault } = req.params
    if (isFault(fault)) res.json(await provoke(fault, req.get('Host') ?? '', req.socket))
    else next()
  })
  app.post('/kill/:pid', requireNickname, (req, res, next) => {
    if (kill === undefined || !isOwnPage(req.get('Origin'), req.get('Host'))) return next()
    res.once('finish', () => kill(Number(req.params.pid)))
    res.status(202).json({})
  })
  app.use(answerError)

  const server = tls === undefined ? createServer(app) : createTlsServer(tls, app)
  const connections = keepConnections(server)
  server.listen(port, host)
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => ws.connections,
    close: async () => {
      const closed = once(server, 'close')
      server.close()
      await Promise.all([ws.drain({ deadlineMs: drainMs }), chat.close()])
      connections.destroyAll()
      await closed
    }
  }
}

/** A WebSocket is a route like any other, with middleware and typed parameters; its status is 101. */
function serveChat(app: Express, chat: Chat): void {
  app.all('/chat/:room', requireNickname, async (req, res) => {
    const { room } = req.params
    if (!isRoom(room)) {
      res.status(400).json({ message: roomRule })
      return
    }
    if (req.method === 'GET' && chat.isFull(room)) {
      res.status(503).set('Retry-After', '10').json({ message: 'The room is full.' })
      return
    }
    const page = readPage(req.query.page)
    // Over a WebSocket, or for those who cannot have one over HTTP.
    const access = chat.accessOf({ room, nickname: res.locals.nickname, page })
    await serveTopics(req, res, chat.topics, access, { maxPayloadBytes })
    chat.tell(page, showConnected(req, sentBy(res)))
  })
}

/** Ordinary middleware: a handshake without a login gets an ordinary 401, and no WebSocket is opened. */
function requireNickname<Params>(req: Request<Params>, res: Response, next: NextFunction): void {
  const nickname = cleanNickname(req.cookies[nicknameCookie])
  if (nickname === undefined) {
    // A 401 has to name a way to log in (RFC 9110 §11.6.1).
    res.status(401).set('WWW-Authenticate', 'Cookie').json({ message: 'Choose a nickname first.' })
    return
  }
  res.locals.nickname = nickname
  next()
}

function serveLogin(app: Express): void {
  app.get('/nickname', (req, res) => {
    res.json({ nickname: cleanNickname(req.cookies[nicknameCookie]) ?? null })
  })

  app.post('/nickname', express.json(), (req, res) => {
    const nickname = cleanNickname(req.body?.nickname)
    if (nickname === undefined) return res.status(400).json({ message: nicknameRule })
    res.cookie(nicknameCookie, nickname, {
      httpOnly: true,
      maxAge: nicknameMaxAge * 1_000,
      sameSite: 'lax',
      secure: req.secure
    })
    return res.json({ nickname })
  })
}

/** The application's own error format, which refused handshakes get too: the error has the status and header fields. */
const answerError: ErrorRequestHandler = (error, _req, res, next) => {
  // Express logs errors that are not the client's.
  if (!(error instanceof HandshakeError) && !error.expose) return next(error)
  const { code, headers = {}, message, status } = error
  res.status(status).set(headers).json({ code, message })
}
