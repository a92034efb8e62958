import Fastify, { type FastifyInstance, type FastifyPluginAsync } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { fastifyWebsocket } from '../src/fastify-websocket/plugin.ts'
import { wsPlugin } from '../src/index.ts'
import { owned, scoped } from './harness.ts'

const bare = (options = {}) => owned(Fastify(options) as FastifyInstance)

describe.each([
  ['wsPlugin', '@oneport/fastify', wsPlugin as FastifyPluginAsync],
  ['fastifyWebsocket', '@oneport/fastify/fastify-websocket', fastifyWebsocket as FastifyPluginAsync]
])('%s', (_name, name, plugin) => {
  test('has the same marks as fastify-plugin sets', () => {
    const marked = fastifyPlugin(async () => {}, { fastify: '5.x', name })
    const symbols = Object.getOwnPropertySymbols(marked)
    expect(Object.getOwnPropertySymbols(plugin)).toEqual(symbols)
    expect(symbols.map((symbol) => Reflect.get(plugin, symbol))).toEqual(
      symbols.map((symbol) => Reflect.get(marked, symbol))
    )
  })

  test('adds its decorators to the instance that registers it', async () => {
    const app = bare({ logger: { level: 'silent' } })
    await app.register(plugin)
    await app.ready()
    expect(app.hasDecorator('websockets')).toBe(true)
    expect(app.hasReplyDecorator('acceptWebSocket')).toBe(true)
    expect(app.hasPlugin(name)).toBe(true)
    expect(app.printPlugins()).toContain(name)
  })

  test('can be a dependency of another plugin', async () => {
    const chat = fastifyPlugin(async () => {}, {
      name: 'chat',
      dependencies: [name],
      decorators: { fastify: ['websockets'], reply: ['acceptWebSocket'] }
    })
    const without = bare()
    await expect(without.register(chat)).rejects.toMatchObject({ code: 'FST_ERR_PLUGIN_NOT_PRESENT_IN_INSTANCE' })
    const app = bare({ logger: { level: 'silent' } })
    await app.register(plugin)
    await app.register(chat)
    await app.register(scoped((scope) => scope.register(chat)))
    expect(app.hasPlugin('chat')).toBe(true)
  })

  test('is not loaded by another major version of Fastify', async () => {
    const { fastify: fastify4 } = require('fastify4') as { fastify: () => FastifyInstance }
    const app = owned(fastify4())
    await expect(app.register(plugin).ready()).rejects.toMatchObject({
      code: 'FST_ERR_PLUGIN_VERSION_MISMATCH',
      message: `fastify-plugin: ${name} - expected '5.x' fastify version, '${app.version}' is installed`
    })
  })
})
