import { wsPlugin } from '@oneport/fastify'
import Fastify from 'fastify'

// sigterm.test.ts starts this program, with the built package.
const app = Fastify()
await app.register(wsPlugin)
app.get('/chat', { websocket: true }, (socket) => socket.send('Welcome.'))
await app.listen({ port: 0, host: '127.0.0.1' })
process.stdout.write(`${app.server.address().port}\n`)

process.once('SIGTERM', () => void app.close())
