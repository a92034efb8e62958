import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import type { fastifyWebsocket } from '../../src/fastify-websocket/plugin.ts'
import { owned } from '../harness.ts'

/** The result of `require()` for a package. */
type PluginModule = typeof fastifyWebsocket

/** One of the plugins that are compared. */
export type Subject = [name: string, plugin: PluginModule]

/** Loaded without its types, because they would declare the same names as ours. */
const theirs: PluginModule = require('@fastify/websocket')

export const ours: PluginModule = require('../../src/fastify-websocket/index.cts')

/** The plugins that should behave the same. */
export const both: Subject[] = [
  ['@fastify/websocket', theirs],
  ['@oneport/fastify/fastify-websocket', ours]
]

/** An app with one of the plugins, closed at the end of the test. Logs nothing by default. */
export async function appWith(
  plugin: PluginModule,
  options: fastifyWebsocket.WebsocketPluginOptions = {},
  serverOptions: FastifyServerOptions = { logger: { level: 'silent' } }
): Promise<FastifyInstance> {
  const app = owned(Fastify(serverOptions) as FastifyInstance)
  await app.register(plugin, options)
  return app
}

const folder = dirname(require.resolve('@fastify/websocket/package.json'))

/** The examples in the README of `@fastify/websocket`, in order. */
export const readmeExamples = [
  ...readFileSync(join(folder, 'README.md'), 'utf8').matchAll(/^```(?:js|javascript)\n(.*?)^```$/gms)
].map(([, code]) => code as string)
