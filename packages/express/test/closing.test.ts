import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { closed, connectClient } from '@oneport/test-kit'
import { acceptWebSocket, wsUpgrade } from '../src/index.ts'
import { versions } from './versions.ts'

let server: Server | undefined

afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

test.each(versions)(
  'server.close() alone closes the connections of %s with 1001 and finishes',
  async (_name, express) => {
    const app = express()
    app.use(wsUpgrade())
    app.get('/chat', (req, res) => acceptWebSocket(req, res, () => {}))
    const listening = app.listen(0, '127.0.0.1')
    server = listening
    await once(listening, 'listening')
    const target = { port: (listening.address() as AddressInfo).port }
    const clients = [await connectClient(target, '/chat'), await connectClient(target, '/chat')]
    const ends = Promise.all(clients.map(({ socket }) => closed(socket)))
    await new Promise((resolve) => listening.close(resolve))
    expect((await ends).map(({ code }) => code)).toEqual([1001, 1001])
  }
)
