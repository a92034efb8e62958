import type { ClientHttp2Session } from 'node:http2'
import type { AddressInfo, Server, Socket } from 'node:net'
import { connectClient, type Inbox, openRaw, openSession } from '@oneport/test-kit'
import Fastify, { type FastifyInstance, type FastifyPluginAsync, type FastifyServerOptions } from 'fastify'
import { type WebSocket, type WsPluginOptions, wsPlugin } from '../src/index.ts'

/** What the running test has started. It is closed in reverse order, clients before their server. */
const endings: (() => unknown)[] = []

afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end()
})

/** Closes an app at the end of the test. */
export function owned<App extends Pick<FastifyInstance, 'close'>>(app: App): App {
  endings.push(() => app.close())
  return app
}

/** An app with the plugin, which accepts handshakes as soon as it listens. */
export async function makeApp(
  options: FastifyServerOptions = {},
  pluginOptions: WsPluginOptions = {}
): Promise<FastifyInstance> {
  const app = owned(Fastify(options) as FastifyInstance)
  await app.register(wsPlugin, pluginOptions)
  return app
}

/** A plugin with a scope of its own. */
export const scoped = (add: (scope: FastifyInstance) => unknown): FastifyPluginAsync => {
  return async (scope) => {
    await add(scope)
  }
}

/** What apps of both HTTP versions have in common. */
interface Listening {
  readonly server: Pick<Server, 'address'>
  listen(options: { port: number; host: string }): Promise<unknown>
}

/** Starts an app and returns its address. */
export async function start(app: Listening): Promise<{ port: number }> {
  await app.listen({ port: 0, host: '127.0.0.1' })
  return { port: (app.server.address() as AddressInfo).port }
}

/** Connects a client. It is closed at the end of the test. */
export async function connect(...args: Parameters<typeof connectClient>): Promise<Inbox> {
  const inbox = await connectClient(...args)
  endings.push(() => inbox.socket.terminate())
  return inbox
}

/** Opens a raw connection. It is closed at the end of the test. */
export async function open(...args: Parameters<typeof openRaw>): Promise<Socket> {
  const raw = await openRaw(...args)
  endings.push(() => raw.destroy())
  return raw
}

/** Opens an HTTP/2 session. It is closed at the end of the test. */
export async function openHttp2(...args: Parameters<typeof openSession>): Promise<ClientHttp2Session> {
  const session = await openSession(...args)
  endings.push(() => session.destroy())
  return session
}

/** A handler that echoes messages. */
export const echo = (socket: WebSocket): void => {
  socket.on('message', (data) => socket.send(String(data)))
}

/** Whether a connection works in both directions. */
export async function isOpen({ socket, next }: Inbox): Promise<boolean> {
  socket.send('still here')
  return (await next()) === 'still here'
}

/** A line of Fastify's log. */
export interface LogLine {
  readonly level: number
  readonly msg?: string
  readonly reqId?: string
  readonly res?: { readonly statusCode: number }
  readonly err?: { readonly message: string; readonly code?: string }
  readonly [field: string]: unknown
}

/** Levels of pino. */
export const warn = 40
export const error = 50

/** Keeps log lines, for `Fastify({ logger: log.options })`. */
export interface KeptLog {
  readonly options: { readonly level: 'info'; readonly stream: { write(text: string): void } }
  readonly lines: readonly LogLine[]
  /** The first line that passes the test, whenever it is logged. */
  line(test: (line: LogLine) => boolean): Promise<LogLine>
}

export function keepLog(): KeptLog {
  const lines: LogLine[] = []
  const waiting = new Set<() => void>()
  const write = (text: string): void => {
    lines.push(JSON.parse(text) as LogLine)
    for (const look of waiting) look()
  }
  return {
    options: { level: 'info', stream: { write } },
    lines,
    line: (test) =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = lines.find(test)
          if (found === undefined) return
          waiting.delete(look)
          resolve(found)
        }
        waiting.add(look)
        look()
      })
  }
}

/** For `KeptLog.line`: the request has completed. */
export const isCompleted = ({ msg }: LogLine): boolean => msg === 'request completed'
