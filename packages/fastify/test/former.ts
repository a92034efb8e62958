import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import Fastify, { type FastifyInstance, type FastifyPluginCallback, type FastifyServerOptions } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import * as oneport from '../src/index.ts'
import { owned } from './harness.ts'

/** What `require()` gives for the package. */
interface PluginModule {
  readonly default: FastifyPluginCallback<oneport.WsPluginOptions>
}

/** One of those who are compared. */
export type Subject = [name: string, module: PluginModule]

/** Its types would declare again what ours declare, so it is loaded without them. */
export const theirs: Subject = ['@fastify/websocket', require('@fastify/websocket')]

export const ours: Subject = ['@oneport/fastify', oneport as unknown as PluginModule]

/** With `compatibility`, for code that does not set it. */
const withCompatibility: PluginModule = {
  default: fastifyPlugin(async (app, options) => {
    await oneport.wsPlugin(app, { ...options, compatibility: '@fastify/websocket' })
  })
}

export const compatible: Subject = ['@oneport/fastify with compatibility', withCompatibility]

/** Who is to do the same. */
export const all: Subject[] = [theirs, ours, compatible]

/** Who does as that plugin does where ours does better. */
export const former: Subject[] = [theirs, compatible]

/** An app that ends with the test, with one of the plugins; it logs nothing by default. */
export async function appWith(
  [, { default: plugin }]: Subject,
  options: oneport.WsPluginOptions = {},
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
