import { once } from 'node:events'
import http, { type Server } from 'node:http'
import net, { type AddressInfo, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Attachment, attach } from '@oneport/core'
import { acceptWebSocket, wsUpgrade } from '@oneport/express'
import { wsPlugin } from '@oneport/fastify'
import { handshake, headArrived, sendRaw, type Target } from '@oneport/test-kit'
import express from 'express'
import Fastify from 'fastify'
import { Application, converse } from '../src/application.ts'
import { connect, endClients, liveThrough } from './conversations.ts'
import { within } from './within.ts'

let front: net.Server
const sockets: Socket[] = []
afterEach(async () => {
  endClients()
  for (const socket of sockets.splice(0)) socket.destroy()
  await once(front.close(), 'close')
})

/** A TCP server that hands each connection to an HTTP server, which does not listen. */
async function handTo(server: Server): Promise<Target> {
  front = net.createServer((socket) => {
    sockets.push(socket)
    socket.once('data', (chunk) => {
      socket.pause()
      server.emit('connection', socket)
      socket.unshift(chunk)
      socket.resume()
    })
  })
  await once(front.listen(0, '127.0.0.1'), 'listening')
  return { port: (front.address() as AddressInfo).port }
}

/** Longer than a server that has stopped listening keeps its connections. */
const aWhileMs = 350

type Start = () => Promise<{ server: Server; attachment: Pick<Attachment, 'drain'> }>

const core: Start = async () => {
  const application = new Application()
  const server = http.createServer(application.listener)
  return { server, attachment: attach(server, application.listener) }
}

const ofExpress: Start = async () => {
  const app = express()
  const attachment = wsUpgrade()
  app.use(attachment)
  app.get('/ours', (req, res) => acceptWebSocket(req, res, (socket) => converse(socket, 'ours')))
  const server = http.createServer(app)
  attachment.attach(server)
  return { server, attachment }
}

const ofFastify: Start = async () => {
  const app = Fastify()
  await app.register(wsPlugin)
  app.get('/ours', { websocket: true }, (socket) => converse(socket, 'ours'))
  await app.ready()
  return { server: app.server, attachment: app.websockets }
}

describe.each([
  ['core', core],
  ['Express', ofExpress],
  ['Fastify', ofFastify]
] as [string, Start][])('a connection handed to a server of %s', (_name, start) => {
  test('can become a WebSocket', async () => {
    const { server } = await start()
    await liveThrough(await connect(await handTo(server), '/ours'), 'ours')
  })

  test('stays open although its server does not listen', async () => {
    const { server } = await start()
    const client = await connect(await handTo(server), '/ours')
    expect(await client.next()).toBe('ours')
    await sleep(aWhileMs)
    await client.exchange(['still here'])
    expect(await client.close()).toBe(1000)
  })

  test('is drained like any other', async () => {
    const { server, attachment } = await start()
    const client = await connect(await handTo(server), '/ours')
    expect(await client.next()).toBe('ours')
    await within('everything is drained', attachment.drain())
    expect(await within('the client is closed', client.closed)).toBe(1001)
  })
})

test('a server of Express that was not attached by hand accepts WebSockets after its first request', async () => {
  const app = express()
  app.use(wsUpgrade())
  app.get('/page', (_req, res) => res.send('page'))
  app.get('/ours', (req, res) => acceptWebSocket(req, res, (socket) => converse(socket, 'ours')))
  const target = await handTo(http.createServer(app))
  // Oneport learns of the server with this request, when Node already treats it as an ordinary one.
  const first = await sendRaw(target, handshake('/ours'), headArrived)
  expect(first.status).toBe(503)
  expect(first.text).toContain('Retry-After: 5')
  await liveThrough(await connect(target, '/ours'), 'ours')
})
