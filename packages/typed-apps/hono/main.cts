import { serve } from '@hono/node-server'
import { attach, webSocket } from '@oneport/hono'
import { upgradeWebSocket } from '@oneport/hono/node-ws'
import { Hono } from 'hono'

const app = new Hono()
app.get(
  '/hello/:name',
  webSocket((socket, c) => socket.send(c.req.param('name').toUpperCase()))
)
app.get(
  '/events',
  upgradeWebSocket(() => ({ onMessage: ({ data }, ws) => ws.send(String(data)) }))
)
attach(serve({ fetch: app.fetch }))
