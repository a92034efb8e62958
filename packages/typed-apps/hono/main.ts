import { serve } from '@hono/node-server'
import { acceptWebSocket, attach, type HandshakeError, type WebSocket, webSocket } from '@oneport/hono'
import { createNodeWebSocket, upgradeWebSocket } from '@oneport/hono/node-ws'
import { Hono } from 'hono'
import { hc } from 'hono/client'
import { createMiddleware } from 'hono/factory'

interface User {
  readonly id: string
}

const requireUser = createMiddleware<{ Variables: { user: User } }>(async (c, next) => {
  c.set('user', { id: 'ada' })
  await next()
})

const app = new Hono<{ Variables: { started: Date } }>()
  .get('/chat/:room', requireUser, (c) => {
    const { room } = c.req.param()
    return acceptWebSocket(c, { key: c.get('user').id }, (socket: WebSocket) => socket.send(room.toUpperCase()))
  })
  .get(
    '/news/:topic',
    requireUser,
    webSocket({ subprotocols: ['news.v1'] }, (socket, c) => {
      socket.send(`${c.get('started').getTime()} ${c.get('user').id} ${c.req.param('topic').toUpperCase()}`)
    })
  )
  .get(
    '/echo',
    webSocket((socket) => socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary })))
  )
  .get(
    '/events',
    upgradeWebSocket(
      (c) => ({
        onOpen: (_event, ws) => ws.send(c.req.path),
        onMessage: ({ data }, ws) => ws.raw?.send(String(data)),
        onClose: ({ code, reason }) => console.log(code, reason)
      }),
      { subprotocols: ['v1'], onError: (error: unknown) => console.error(error) }
    )
  )

const websockets = attach(serve({ fetch: app.fetch, port: 3000 }), {
  allowedOrigins: ['https://app.example'],
  onRefused: (error: HandshakeError) => console.log(error.code)
})
console.log(websockets.connections.size, websockets.revoke('ada'))

const socket: globalThis.WebSocket = hc<typeof app>('/').news[':topic'].$ws({ param: { topic: 'today' } })
socket.close()

export const { injectWebSocket, wss } = createNodeWebSocket({ app, maxConnections: 10 })
