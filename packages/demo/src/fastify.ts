import type { AddressInfo } from 'node:net'
import fastifyCookie from '@fastify/cookie'
import fastifyStatic from '@fastify/static'
import { isWebSocketRequest, serveTopics, wsPlugin } from '@oneport/fastify'
import Fastify, {
  type FastifyInstance,
  type FastifyRequest,
  type FastifyServerOptions,
  type onRequestAsyncHookHandler,
  type RouteGenericInterface
} from 'fastify'
import { type Address, drainMs, type Running } from './address.ts'
import { Chat } from './chat.ts'
import { keepConnections } from './connections.ts'
import { type Sent, sentBy, showConnected } from './exchange.ts'
import { maxPayloadBytes } from './message.ts'
import { cleanNickname, nicknameCookie, nicknameMaxAge, nicknameRule } from './nickname.ts'
import { clientFile, clientFolder, isOwnPage, publicFolder, readPage, securityFields } from './page.ts'
import { isFault, provoke } from './provoke.ts'
import { roomPattern } from './room.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by {@link requireNickname}. */
    nickname: string
  }
}

/** Serves the demo with Fastify. */
export async function startFastify({ host, port, tls, backplane, kill }: Address): Promise<Running> {
  const overTls = tls === undefined ? {} : { http2: true, https: { ...tls, allowHTTP1: true } }
  // Fastify's types treat HTTP/2 as another kind of application. What is used here is the same in both.
  const app = Fastify(overTls as FastifyServerOptions)
  const connections = keepConnections(app.server)
  await app.register(wsPlugin)
  app.addHook('onRequest', async (_request, reply) => {
    reply.headers(securityFields)
  })
  await app.register(fastifyCookie)
  await app.register(fastifyStatic, { root: publicFolder })
  app.decorateRequest('nickname', '')

  const chat = new Chat(backplane)
  serveChat(app, chat)
  serveLogin(app)
  app.get('/r/:room', (_request, reply) => reply.sendFile('index.html'))
  app.get('/client.mjs', (_request, reply) => reply.sendFile(clientFile, clientFolder))
  app.post<{ Params: { fault: string } }>('/provoke/:fault', async ({ host, params: { fault }, socket }, reply) =>
    isFault(fault) ? provoke(fault, host, socket) : reply.callNotFound()
  )
  app.post<{ Params: { pid: string } }>('/kill/:pid', { onRequest: requireNickname }, (request, reply) => {
    const { headers, host, params } = request
    if (kill === undefined || !isOwnPage(headers.origin, host)) return reply.callNotFound()
    reply.raw.once('finish', () => kill(Number(params.pid)))
    return reply.code(202).send({})
  })

  await app.listen({ host, port })
  return {
    port: (app.server.address() as AddressInfo).port,
    connections: () => app.websockets.connections,
    close: async () => {
      // app.close() drains too. Draining before it sets the deadline.
      const drained = app.websockets.drain({ deadlineMs: drainMs })
      const closed = app.close()
      await Promise.all([drained, chat.close()])
      connections.destroyAll()
      await closed
    }
  }
}

interface ChatRoute extends RouteGenericInterface {
  Params: { room: string }
  Querystring: { page?: unknown }
}

/** A WebSocket is a route like any other, with schema, hooks and typed parameters; its status is 101. */
function serveChat(app: FastifyInstance, chat: Chat): void {
  const tell = ({ query, raw }: FastifyRequest<ChatRoute>, sent: Sent): void =>
    chat.tell(readPage(query.page), showConnected(raw, sent))

  app.route<ChatRoute>({
    method: ['GET', 'POST'],
    url: '/chat/:room',
    schema: { params: { type: 'object', properties: { room: { type: 'string', pattern: roomPattern } } } },
    bodyLimit: maxPayloadBytes,
    onRequest: requireNickname,
    async handler(request, reply) {
      const { method, nickname, params, query, raw } = request
      const { room } = params
      if (method === 'GET' && chat.isFull(room)) {
        return reply.code(503).header('Retry-After', '10').send({ message: 'The room is full.' })
      }
      const access = chat.accessOf({ room, nickname, page: readPage(query.page) })
      // Over a WebSocket, or for those who cannot have one over HTTP.
      const answer = await serveTopics(reply, chat.topics, access, { maxPayloadBytes })
      if (isWebSocketRequest(raw)) tell(request, sentBy(reply.raw))
      return answer
    },
    // A stream ends when the page leaves: this is before it.
    async onSend(request, reply) {
      if (isWebSocketRequest(request.raw)) return
      tell(request, { status: reply.statusCode, fields: Object.entries(reply.getHeaders()) })
    }
  })
}

/** An ordinary hook: a handshake without a login gets an ordinary 401, and no WebSocket is opened. */
const requireNickname: onRequestAsyncHookHandler = async (request, reply) => {
  const nickname = cleanNickname(request.cookies[nicknameCookie])
  if (nickname === undefined) {
    // A 401 has to name a way to log in (RFC 9110 §11.6.1).
    return reply.code(401).header('WWW-Authenticate', 'Cookie').send({ message: 'Choose a nickname first.' })
  }
  request.nickname = nickname
}

function serveLogin(app: FastifyInstance): void {
  app.get('/nickname', async (request) => ({ nickname: cleanNickname(request.cookies[nicknameCookie]) ?? null }))

  app.post<{ Body: { nickname: unknown } | null }>('/nickname', async (request, reply) => {
    const nickname = cleanNickname(request.body?.nickname)
    if (nickname === undefined) return reply.code(400).send({ message: nicknameRule })
    reply.setCookie(nicknameCookie, nickname, {
      httpOnly: true,
      maxAge: nicknameMaxAge,
      path: '/',
      sameSite: 'lax',
      secure: request.protocol === 'https'
    })
    return { nickname }
  })
}
