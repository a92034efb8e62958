import { serve } from '@hono/node-server'
import { attach, webSocket } from '@oneport/hono'
import { Hono } from 'hono'

// sigterm.test.ts starts this program, with the built package.
const app = new Hono()
app.get(
  '/chat',
  webSocket((socket) => socket.send('Welcome.'))
)
const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) =>
  process.stdout.write(`${port}\n`)
)
const websockets = attach(server)

process.once('SIGTERM', () => {
  server.close()
  void websockets.drain()
})
