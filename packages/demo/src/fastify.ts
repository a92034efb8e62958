import type { AddressInfo } from 'node:net'
import fastifyCookie from '@fastify/cookie'
import fastifyStatic from '@fastify/static'
import { wsPlugin } from '@oneport/fastify'
import Fastify, { type FastifyInstance, type FastifyServerOptions, type onRequestAsyncHookHandler } from 'fastify'
import { type Address, drainMs, type Running } from './address.ts'
import { Chat } from './chat.ts'
import { keepConnections } from './connections.ts'
import { showExchange } from './exchange.ts'
import { maxPayloadBytes, subprotocol } from './message.ts'
import { cleanNickname, nicknameCookie, nicknameMaxAge, nicknameRule } from './nickname.ts'
import { publicFolder, securityFields } from './page.ts'
import { isFault, provoke } from './provoke.ts'
import { roomPattern } from './room.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by {@link requireNickname}. */
    nickname: string
  }
}

/** Serves the demo with Fastify. */
export async function startFastify({ host, port, tls, backplanes }: Address): Promise<Running> {
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

  const chat = new Chat(backplanes)
  serveChat(app, chat)
  serveLogin(app)
  app.get('/r/:room', (_request, reply) => reply.sendFile('index.html'))
  app.post<{ Params: { fault: string } }>('/provoke/:fault', async ({ host, params: { fault }, socket }, reply) =>
    isFault(fault) ? provoke(fault, host, socket) : reply.callNotFound()
  )

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

const endpoint = { subprotocols: [subprotocol], requireSubprotocol: true, maxPayloadBytes }

/** The WebSocket endpoint is a route like any other, with schema, hooks and typed parameters; its status is 101. */
function serveChat(app: FastifyInstance, chat: Chat): void {
  const schema = { params: { type: 'object', properties: { room: { type: 'string', pattern: roomPattern } } } }

  app.get<{ Params: { room: string } }>('/chat/:room', { schema, onRequest: requireNickname }, (request, reply) => {
    const { nickname, params } = request
    const { room } = params
    if (chat.isFull(room)) return reply.code(503).header('Retry-After', '10').send({ message: 'The room is full.' })
    return reply.acceptWebSocket(endpoint, (socket) => {
      chat.join(socket, { room, nickname, handshake: showExchange(request.raw, reply.raw) })
    })
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
