import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import type { fastifyWebsocket } from '../../src/fastify-websocket/plugin.ts'
import { owned } from '../harness.ts'

/** What `require()` gives for a package. */
type PluginModule = typeof fastifyWebsocket

/** One of those who are compared. */
export type Subject = [name: string, plugin: PluginModule]

/** Its types would declare again what ours declare, so it is loaded without them. */
const theirs: PluginModule = require('@fastify/websocket')

export const ours: PluginModule = require('../../src/fastify-websocket/index.cts')

/** Who is to do the same. */
export const both: Subject[] = [
  ['@fastify/websocket', theirs],
  ['@oneport/fastify/fastify-websocket', ours]
]

/** An app that ends with the test, with one of the plugins; it logs nothing by default. */
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

/** The examples of the README of `@fastify/websocket`, in their order. */
export const readmeExamples = [
  ...readFileSync(join(folder, 'README.md'), 'utf8').matchAll(/^```(?:js|javascript)\n(.*?)^```$/gms)
].map(([, code]) => code as string)
