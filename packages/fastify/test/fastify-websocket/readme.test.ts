import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { refused, signal } from '@oneport/test-kit'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import ws from 'ws'
import { connect, owned } from '../harness.ts'
import { appWith, both, readmeExamples, type Subject } from './subjects.ts'

const AsyncFunction = (async () => {}).constructor as new (...code: string[]) => (...values: unknown[]) => Promise<void>

/** What an example gets besides its own names. */
interface Surroundings {
  /** Defined before an example that is only a part of a program. */
  readonly fastify?: FastifyInstance
  readonly modules?: Record<string, unknown>
}

/** Runs an example as the CommonJS module that it is, with another package instead of the import, on any port. */
async function run(code: string, websocket: Subject[1], { fastify, modules = {} }: Surroundings = {}) {
  const apps: FastifyInstance[] = []
  const tests: ((t: object) => Promise<void>)[] = []
  const known: Record<string, unknown> = {
    '@fastify/websocket': websocket,
    fastify: () => {
      const app = owned(Fastify({ logger: { level: 'silent' } }) as FastifyInstance)
      app.decorate('myDecoration', { someFunc: () => {} })
      apps.push(app)
      return app
    },
    'node:test': { test: (_name: string, body: (t: object) => Promise<void>) => tests.push(body) },
    ws,
    ...modules
  }
  const require = (name: string): unknown => {
    if (known[name] === undefined) throw new Error(`The example requires ${name}`)
    return known[name]
  }
  const module = { exports: {} as FastifyInstance }
  const exits: number[] = []
  const process = { exit: (code: number) => exits.push(code) }
  const withRequire = code.replace(/^import (\w+) from ('[^']+')$/gm, 'const $1 = require($2)')
  const names = ['require', 'module', 'process', ...(fastify === undefined ? [] : ['fastify'])]
  const example = new AsyncFunction(...names, withRequire.replace('port: 3000', "port: 0, host: '127.0.0.1'"))
  await example.call({}, require, module, process, fastify)
  return { app: fastify ?? (apps[0] as FastifyInstance), exported: module.exports, tests, exits }
}

async function listening(app: FastifyInstance): Promise<{ port: number }> {
  if (!app.server.listening) await once(app.server, 'listening')
  return { port: (app.server.address() as AddressInfo).port }
}

/** The answer to a message. */
async function answer(target: { port: number }, path: string, headers: Record<string, string> = {}): Promise<string> {
  const { socket, next } = await connect(target, path, [], { headers })
  socket.send('hi from client')
  return next()
}

const example = (index: number): string => readmeExamples[index] as string

describe('the example of the README', () => {
  test('is covered below', () => {
    expect(readmeExamples).toHaveLength(11)
  })

  test.each(both)('"Usage" runs with %s', async (_name, plugin) => {
    const { app } = await run(example(0), plugin)
    const target = await listening(app)
    expect(await answer(target, '/')).toBe('hi from server')
    expect(await refused(connect(target, '/nowhere'))).toBe(404)
  })

  test.each(both)('"wildcard route" runs with %s', async (_name, plugin) => {
    const target = await listening((await run(example(1), plugin)).app)
    expect(await answer(target, '/')).toBe('hi from server')
    expect(await answer(target, '/any/thing')).toBe('hi from wildcard route')
  })

  test.each(both)('"Attaching event handlers" runs with %s', async (_name, plugin) => {
    const fastify = await appWith(plugin)
    const read = signal()
    fastify.decorateRequest('getSession', () => async () => read.give())
    const { app } = await run(example(2), plugin, { fastify })
    await app.listen({ port: 0, host: '127.0.0.1' })
    const { socket } = await connect(await listening(app), '/')
    socket.send('hi')
    await read.given
  })

  test.each(both)('"Using hooks" runs with %s', async (_name, plugin) => {
    const fastify = await appWith(plugin)
    fastify.decorateRequest('isAuthenticated', function (this: FastifyRequest) {
      return this.headers.authorization === 'yes'
    })
    const { app } = await run(example(3), plugin, { fastify })
    await app.listen({ port: 0, host: '127.0.0.1' })
    const target = await listening(app)
    expect(await refused(connect(target, '/'))).toBe(401)
    await connect(target, '/', [], { headers: { authorization: 'yes' } })
  })

  test.each(both)('with import runs with %s', async (_name, plugin) => {
    // Interop passes the default export of an ES module.
    const { app } = await run(example(4), plugin)
    expect(await answer(await listening(app), '/')).toBe('hi from server')
  })

  test.each(both)('with wsHandler runs with %s', async (_name, plugin) => {
    const { app } = await run(example(5), plugin)
    const target = await listening(app)
    const { next, socket } = await connect(target, '/hello')
    expect(await next()).toBe('hello client')
    socket.send('bye')
    expect((await once(socket, 'close'))[0]).toBe(1005)
    expect(await (await fetch(`http://127.0.0.1:${target.port}/hello`)).json()).toEqual({ hello: 'world' })
  })

  // Without `await` before register(), its route exists before the plugin and so does not belong to it.
  test.each(both)(
    '"Custom error handler" answers 500 with %s, because its route is an ordinary one',
    async (_name, plugin) => {
      const { app } = await run(example(6), plugin)
      const { port } = await listening(app)
      expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(500)
    }
  )

  test.each(both)('"Custom error handler" runs with %s if the plugin is awaited', async (_name, plugin) => {
    const { app } = await run(example(6).replace('fastify.register(', 'await fastify.register('), plugin)
    const target = await listening(app)
    expect(await refused(connect(target, '/'))).toBe(401)
    expect(await answer(target, '/', { 'x-fastify-header': 'fastify is awesome !' })).toBe('hi from server')
  })

  // The `this` of an arrow function is not the app, so the example needs `function`.
  test.each(both)('"Custom preClose hook" runs with %s as a function', async (_name, plugin) => {
    const { app } = await run(example(7).replace('(done) =>', 'function (done)'), plugin)
    app.after(() => app.get('/', { websocket: true }, () => {}))
    await app.listen({ port: 0, host: '127.0.0.1' })
    const { socket } = await connect(await listening(app), '/')
    const [[code, reason]] = await Promise.all([once(socket, 'close'), app.close()])
    expect([code, String(reason)]).toEqual([
      1001,
      'WS server is going offline in custom manner, sending a code + message'
    ])
  })

  test.each(both)('"Creating a stream from the WebSocket" runs with %s', async (_name, plugin) => {
    const { app } = await run(example(8), plugin)
    const { next } = await connect(await listening(app), '/')
    expect(await next()).toBe('hello client')
  })

  test.each(both)('"Testing" runs with %s', async (_name, plugin) => {
    const { exported } = await run(example(9), plugin)
    const { tests } = await run(example(10), plugin, { modules: { './app.js': exported } })
    expect(tests).toHaveLength(1)
    const deepStrictEqual = (actual: unknown, expected: unknown) => expect(actual).toEqual(expected)
    await tests[0]?.({ plan: () => {}, after: () => {}, assert: { deepStrictEqual } })
    expect.assertions(2)
  })
})
