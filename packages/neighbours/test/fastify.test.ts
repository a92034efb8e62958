import http from 'node:http'
import { type AddressInfo, Socket } from 'node:net'
import fastifyHttpProxy from '@fastify/http-proxy'
import { acceptWebSocket, attach } from '@oneport/core'
import { wsPlugin } from '@oneport/fastify'
import { handshake, sendRaw, type Target } from '@oneport/test-kit'
import Fastify, { type FastifyInstance, type FastifyPluginAsync } from 'fastify'
import { WebSocketServer } from 'ws'
import { converse } from '../src/application.ts'
import { type Arrangement, alone, shared, table } from './arrangements.ts'
import { connect, endClients, liveThrough } from './conversations.ts'
import { framesBack } from './frames.ts'
import { within } from './within.ts'

let app: FastifyInstance
let rawSockets: Socket[]
const upstreams: http.Server[] = []
afterEach(() => {
  endClients()
  // The prototype's method, as the application and its plugins may have replaced it.
  Reflect.apply(http.Server.prototype.close, app.server, [])
  for (const socket of rawSockets.splice(0)) Reflect.apply(Socket.prototype.destroy, socket, [])
  for (const upstream of upstreams.splice(0)) {
    upstream.closeAllConnections()
    upstream.close()
  }
})

/** The server that the proxy forwards to, with a WebSocket endpoint at `/theirs`. */
async function startUpstream(): Promise<number> {
  const server = http.createServer((_req, res) => res.end('upstream\n'))
  upstreams.push(server)
  new WebSocketServer({ server, path: '/theirs' }).on('connection', (socket) => converse(socket, 'theirs'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

/** Time after which a handshake without an answer gets the application's 404, in milliseconds. */
const handshakeTimeoutMs = 300

type Join = (app: FastifyInstance) => Promise<void>

/** `@fastify/http-proxy` at `/theirs`. */
const httpProxy: Join = async (instance) => {
  const port = await startUpstream()
  await instance.register(fastifyHttpProxy, {
    upstream: `http://127.0.0.1:${port}`,
    prefix: '/theirs',
    rewritePrefix: '/theirs',
    websocket: true
  })
}

// Its types declare the same names as ours, so a program can import only one of them.
const fastifyWebsocket = jest.requireActual<FastifyPluginAsync>('@fastify/websocket')

/** `@fastify/websocket` with a route at `/theirs`. */
const websocket: Join = async (instance) => {
  await instance.register(async (child) => {
    await child.register(fastifyWebsocket)
    child.get('/theirs', { websocket: true } as object, ((socket: never) => converse(socket, 'theirs')) as never)
  })
}

/** How our application is added to Fastify: as a plugin, or with `attach()` in front of it. */
type Ours = 'wsPlugin in the same application' | 'attach() with another application on the same server'

async function serve({ order, claims }: Arrangement, join: Join, ours: Ours): Promise<Target> {
  app = Fastify({ forceCloseConnections: true })
  rawSockets = []
  app.server.on('connection', (socket: Socket) => rawSockets.push(socket))
  const options = claims ? { claims: ({ url }: http.IncomingMessage) => url?.startsWith('/ours') === true } : {}
  const add = async (): Promise<void> => {
    if (ours === 'wsPlugin in the same application') {
      await app.register(wsPlugin, { handshakeTimeoutMs, onRefused: () => {}, ...options })
      app.get('/ours', { websocket: true } as object, ((socket: never) => converse(socket, 'ours')) as never)
      return
    }
    const attachment = attach(
      app.server,
      async (req, res) => {
        if (req.url !== '/ours') res.writeHead(404).end('not here\n')
        else await acceptWebSocket(req, res, (socket) => converse(socket, 'ours'))
      },
      { handshakeTimeoutMs, onRefused: () => {}, ...options }
    )
    app.addHook('preClose', async () => void (await attachment.drain()))
  }
  if (order === 'first') await add()
  await join(app)
  if (order === 'second') await add()
  await app.listen({ port: 0, host: '127.0.0.1' })
  return { port: (app.server.address() as AddressInfo).port }
}

const neighbours: [string, Join][] = [
  ['@fastify/http-proxy', httpProxy],
  ['@fastify/websocket', websocket]
]
const owners: Ours[] = ['wsPlugin in the same application', 'attach() with another application on the same server']
const close = (): Promise<void> =>
  within(
    'the application is closed',
    app.close().then(() => {})
  )

describe.each(neighbours)('without Oneport, %s', (_name, join) => {
  const ours = 'wsPlugin in the same application'

  test('gets its connections', async () => {
    const target = await serve(alone, join, ours)
    await liveThrough(await connect(target, '/theirs'), 'theirs')
    await liveThrough(await connect(target, '/theirs'), 'theirs', 'server')
    await close()
  })

  test('closes its open connections with the application', async () => {
    const target = await serve(alone, join, ours)
    const client = await connect(target, '/theirs')
    expect(await client.next()).toBe('theirs')
    await close()
    await within('the client is closed', client.closed)
  })

  test('gets the first frames once', async () => {
    expect(await framesBack(await serve(alone, join, ours), '/theirs')).toEqual(['first', 'second'])
    await close()
  })
})

/** Both plugins define the route option `websocket`, so an application can have only one of them. */
const neighboursOf = (ours: Ours): typeof neighbours =>
  ours === 'wsPlugin in the same application' ? neighbours.filter(([, join]) => join !== websocket) : neighbours

test('wsPlugin rejects an application that @fastify/websocket serves too', async () => {
  await expect(serve({ order: 'first', claims: false }, websocket, 'wsPlugin in the same application')).rejects.toThrow(
    /^@oneport\/fastify and @fastify\/websocket cannot serve one application: .* Remove @fastify\/websocket/
  )
})

// The plugin has to be registered before all routes.
const arrangements = (ours: Ours): readonly Arrangement[] =>
  ours === 'wsPlugin in the same application' ? shared.filter(({ order }) => order === 'first') : shared

describe.each(owners)('%s,', (ours) => {
  describe.each(table(arrangements(ours)))('%s,', (_arrangement, arrangement) => {
    describe.each(neighboursOf(ours))('%s', (_name, join) => {
      test('gets its connections', async () => {
        const target = await serve(arrangement, join, ours)
        await liveThrough(await connect(target, '/theirs'), 'theirs')
        await liveThrough(await connect(target, '/theirs'), 'theirs', 'server')
        await close()
      })

      test('closes its open connections with the application', async () => {
        const target = await serve(arrangement, join, ours)
        const client = await connect(target, '/theirs')
        expect(await client.next()).toBe('theirs')
        await close()
        await within('the client is closed', client.closed)
      })

      test('gets the first frames once', async () => {
        expect(await framesBack(await serve(arrangement, join, ours), '/theirs')).toEqual(['first', 'second'])
        await close()
      })

      test('leaves our connections alone', async () => {
        const target = await serve(arrangement, join, ours)
        await liveThrough(await connect(target, '/ours'), 'ours')
        await liveThrough(await connect(target, '/ours'), 'ours', 'server')
        await close()
      })

      test('does not keep our connections from closing with the application', async () => {
        const target = await serve(arrangement, join, ours)
        const client = await connect(target, '/ours')
        expect(await client.next()).toBe('ours')
        await close()
        expect(await within('the client is closed', client.closed)).toBe(1001)
      })
    })
  })
})

// With `claims`, such a handshake is left to the neighbour, which may ignore it.
describe.each(owners)('%s, attached first, without claims,', (ours) => {
  test.each(neighboursOf(ours))('a handshake next to %s that nobody accepts gets a 404', async (_name, join) => {
    const target = await serve({ order: 'first', claims: false }, join, ours)
    const { status } = await within('the answer arrives', sendRaw(target, handshake('/nowhere')))
    expect(status).toBe(404)
    await close()
  })
})
