import { type Client, connect, expectRefused } from '@oneport/testing'
import Fastify, { type FastifyInstance } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { wsPlugin } from '../src/index.ts'
import { echo, makeApp, owned, scoped } from './harness.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** For tests: the name of the scope. */
    scopeName: string
  }
  interface FastifyRequest {
    /** For tests. */
    user: string
  }
  interface FastifyReply {
    /** For tests. */
    greet(): string
  }
}

/** Whether a connection works in both directions. */
async function isOpen(client: Client): Promise<boolean> {
  client.send('still here')
  return (await client.next()) === 'still here'
}

describe('`this` is the instance of the route', () => {
  const nameOf = (instance: unknown) => (instance as FastifyInstance).scopeName

  test.each([
    [
      'in a { websocket: true } route',
      (scope: FastifyInstance) =>
        scope.get('/name', { websocket: true }, function (socket) {
          socket.send(nameOf(this))
        })
    ],
    [
      'in a route with options',
      (scope: FastifyInstance) =>
        scope.route({
          method: 'GET',
          url: '/name',
          websocket: { subprotocols: [] },
          handler(socket) {
            socket.send(nameOf(this))
          }
        })
    ],
    [
      'in wsHandler',
      (scope: FastifyInstance) =>
        scope.route({
          method: 'GET',
          url: '/name',
          async handler() {
            return nameOf(this)
          },
          wsHandler(socket) {
            socket.send(nameOf(this))
          }
        })
    ],
    [
      'in the handler of reply.acceptWebSocket()',
      (scope: FastifyInstance) =>
        scope.get('/name', (_request, reply) =>
          reply.acceptWebSocket(function (socket) {
            socket.send(nameOf(this))
          })
        )
    ]
  ])('%s, in a nested scope too', async (_where, addRoute) => {
    const app = await makeApp()
    app.decorate('scopeName', 'root')
    addRoute(app)
    await app.register(
      scoped(async (scope) => {
        scope.scopeName = 'scope'
        addRoute(scope)
      }),
      { prefix: '/scope' }
    )
    expect(await (await connect(app, '/name')).next()).toBe('root')
    expect(await (await connect(app, '/scope/name')).next()).toBe('scope')
  })

  test('in the handler next to wsHandler', async () => {
    const app = await makeApp()
    app.decorate('scopeName', 'root')
    app.route({
      method: 'GET',
      url: '/name',
      async handler() {
        return this.scopeName
      },
      wsHandler: echo
    })
    expect((await app.inject('/name')).body).toBe('root')
  })
})

test('decorators of instance, request and reply are available', async () => {
  const app = await makeApp()
  app.decorate('scopeName', 'root')
  app.decorateRequest('user', '')
  app.decorateReply('greet', function () {
    return `hello ${this.request.user}`
  })
  app.addHook('onRequest', async (request) => {
    request.user = 'ann'
  })
  app.get('/websocket', { websocket: true }, (socket, request) =>
    socket.send(`${request.server.scopeName} ${request.user}`)
  )
  app.get('/reply', (_request, reply) => reply.acceptWebSocket((socket) => socket.send(reply.greet())))
  expect(await (await connect(app, '/websocket')).next()).toBe('root ann')
  expect(await (await connect(app, '/reply')).next()).toBe('hello ann')
})

test('hooks of a scope run only for its endpoints', async () => {
  const app = await makeApp()
  app.addHook('onRequest', async (_request, reply) => void reply.header('X-Root', '1'))
  await app.register(
    scoped(async (scope) => {
      scope.addHook('onRequest', async (_request, reply) => void reply.header('X-Scope', '1'))
      scope.get('/inner', { websocket: true }, echo)
    })
  )
  await app.register(
    scoped(async (scope) => {
      scope.addHook('preHandler', async () => {
        throw Object.assign(new Error('Log in first'), { statusCode: 401 })
      })
      scope.get('/guarded', { websocket: true }, echo)
    })
  )
  app.get('/outer', { websocket: true }, echo)
  const inner = (await connect(app, '/inner')).response.headers
  expect([inner['x-root'], inner['x-scope']]).toEqual(['1', '1'])
  const outer = (await connect(app, '/outer')).response.headers
  expect([outer['x-root'], outer['x-scope']]).toEqual(['1', undefined])
  expect((await expectRefused(app, '/guarded')).status).toBe(401)
})

test('endpoints have the prefixes of their scopes', async () => {
  const app = await makeApp()
  await app.register(
    scoped(async (v1) => {
      await v1.register(
        scoped(async (rooms) => {
          rooms.get('/', { websocket: true }, echo)
          rooms.get('/:id', { websocket: true }, (socket, request) =>
            socket.send((request.params as { id: string }).id)
          )
        }),
        { prefix: '/rooms' }
      )
    }),
    { prefix: '/v1' }
  )
  expect(await isOpen(await connect(app, '/v1/rooms'))).toBe(true)
  expect(await isOpen(await connect(app, '/v1/rooms/'))).toBe(true)
  expect(await (await connect(app, '/v1/rooms/7')).next()).toBe('7')
  expect((await expectRefused(app, '/rooms')).status).toBe(404)
})

test('a plugin of the application may register it for all scopes', async () => {
  const app = owned(Fastify() as FastifyInstance)
  await app.register(fastifyPlugin(scoped((instance) => instance.register(wsPlugin))))
  await app.register(scoped((scope) => scope.get('/echo', { websocket: true }, echo)))
  expect(await isOpen(await connect(app, '/echo'))).toBe(true)
  expect(app.websockets.connections.size).toBe(1)
})

test('registered in one scope, it serves that scope', async () => {
  const app = owned(Fastify() as FastifyInstance)
  await app.register(
    scoped(async (scope) => {
      await scope.register(wsPlugin)
      scope.get('/inner', { websocket: true }, echo)
    })
  )
  app.get('/plain', async () => 'plain')
  expect(await isOpen(await connect(app, '/inner'))).toBe(true)
  expect((await expectRefused(app, '/plain')).status).toBe(200)
  expect(app.hasDecorator('websockets')).toBe(false)
})

test('routes with host or version constraints are found as for any request', async () => {
  const app = await makeApp()
  const named = (name: string) => (socket: { send(text: string): void }) => socket.send(name)
  app.get('/name', { websocket: true, constraints: { host: 'a.example' } }, named('a'))
  app.get('/name', { websocket: true, constraints: { host: 'b.example' } }, named('b'))
  app.get('/version', { websocket: true, constraints: { version: '2.0.0' } }, named('2'))
  expect(await (await connect(app, '/name', { headers: { Host: 'a.example' } })).next()).toBe('a')
  expect(await (await connect(app, '/name', { headers: { Host: 'b.example' } })).next()).toBe('b')
  expect(await (await connect(app, '/version', { headers: { 'Accept-Version': '2.x' } })).next()).toBe('2')
  expect((await expectRefused(app, '/version')).status).toBe(404)
})
