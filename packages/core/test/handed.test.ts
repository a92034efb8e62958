import { once } from 'node:events'
import http, { type Server } from 'node:http'
import net, { type AddressInfo, type Socket } from 'node:net'
import { closed, connectClient, handshake, headArrived, sendRaw, type Target } from '@oneport/test-kit'
import { type Attachment, acceptWebSocket, attach, type Dispatch } from '../src/index.ts'
import { until } from './recorded.ts'

const echo: Dispatch = (req, res) =>
  acceptWebSocket(req, res, (socket) => socket.on('message', (data) => socket.send(String(data))))

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

/** A TCP server that hands each connection to an HTTP server, which does not listen. */
async function handTo(server: Server): Promise<Target> {
  const sockets: Socket[] = []
  const front = net.createServer({ pauseOnConnect: true }, (socket) => {
    sockets.push(socket)
    server.emit('connection', socket)
    socket.resume()
  })
  await once(front.listen(0, '127.0.0.1'), 'listening')
  ends.push(() => once(front.close(), 'close'))
  ends.push(() => {
    for (const socket of sockets) socket.destroy()
  })
  return { port: (front.address() as AddressInfo).port }
}

function start(): { server: Server; attachment: Attachment } {
  const server = http.createServer(echo)
  const attachment = attach(server, echo)
  ends.push(() => attachment.detach())
  return { server, attachment }
}

async function connect(target: Target) {
  const client = await connectClient(target, '/')
  client.socket.send('here')
  expect(await client.next()).toBe('here')
  return client
}

describe('connections handed to a server', () => {
  test('are drained by drain()', async () => {
    const { server, attachment } = start()
    const target = await handTo(server)
    const both = [await connect(target), await connect(target)]
    const closes = both.map(({ socket }) => closed(socket))
    expect(await attachment.drain()).toEqual({ closed: 2, terminated: 0 })
    expect((await Promise.all(closes)).map(({ code }) => code)).toEqual([1001, 1001])
    expect((await sendRaw(target, handshake('/'))).status).toBe(503)
  })

  test('are drained by server.close() on a server that never listened', async () => {
    const { server, attachment } = start()
    const { socket } = await connect(await handTo(server))
    const end = closed(socket)
    server.close()
    expect((await end).code).toBe(1001)
    await until(() => attachment.connections.size === 0)
  })
})

test('a closed server that listens again accepts handshakes, and drains at its next close', async () => {
  const { server } = start()
  for (let round = 0; round < 2; round++) {
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const target = { port: (server.address() as AddressInfo).port }
    expect((await sendRaw(target, handshake('/'), headArrived)).status).toBe(101)
    const { socket } = await connect(target)
    const end = closed(socket)
    const stopped = once(server.close(), 'close')
    expect((await end).code).toBe(1001)
    await stopped
  }
})
