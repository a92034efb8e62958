import type { AddressInfo } from 'node:net'
import type { INestApplication, ModuleMetadata, WebSocketAdapter } from '@nestjs/common'
import { connectClient, type Inbox, type Target } from '@oneport/test-kit'
import { type Nest, nest11, nest12 } from '../versions.ts'

type WsAdapterClass = typeof import('@nestjs/platform-ws').WsAdapter

/** An adapter on one version of Nest. */
export interface Subject {
  readonly name: string
  readonly version: 11 | 12
  readonly nest: Nest
  readonly isOurs: boolean
  /** The line that changes. */
  readonly Adapter: WsAdapterClass
}

const on = (version: 11 | 12, nest: Nest): Subject[] => [
  { name: `WsAdapter on NestJS ${version}`, version, nest, isOurs: false, Adapter: nest.ws.WsAdapter },
  {
    name: `OneportAdapter on NestJS ${version}`,
    version,
    nest,
    isOurs: true,
    Adapter: nest.oneport.OneportAdapter as unknown as WsAdapterClass
  }
]

/** The adapters that should behave the same. */
export const subjects: Subject[] = [...on(11, nest11), ...on(12, nest12)]

const endings: (() => unknown)[] = []

/** For `afterEach`: closes what the test has started, clients before their server. */
export async function endAll(): Promise<void> {
  for (const end of endings.splice(0).reverse()) await end()
}

export interface Started extends Target {
  readonly app: INestApplication
  /** Connects a client to the application, or to another port. */
  connect(path: string, ...rest: Tail<typeof connectClient>): Promise<Inbox>
}

type Tail<Call extends (...args: never[]) => unknown> =
  Parameters<Call> extends [unknown, unknown, ...infer Rest] ? Rest : never

export interface Setup extends ModuleMetadata {
  readonly onFastify?: boolean
  readonly adapter?: (app: INestApplication) => WebSocketAdapter
  /** Runs before the adapter is made. */
  readonly before?: (app: INestApplication) => unknown
}

/** Starts an application as its `main.ts` would. */
export async function start({ nest, Adapter }: Subject, setup: Setup): Promise<Started> {
  const { onFastify = false, adapter, before, ...metadata } = setup
  class AppModule {}
  nest.common.Module(metadata)(AppModule)
  const options = { logger: false } as const
  const app = onFastify
    ? await nest.core.NestFactory.create(AppModule, new nest.fastify.FastifyAdapter(), options)
    : await nest.core.NestFactory.create(AppModule, options)
  before?.(app)
  app.useWebSocketAdapter(adapter?.(app) ?? new Adapter(app))
  endings.push(() => app.close())
  await app.listen(0, '127.0.0.1')
  const { port } = app.getHttpServer().address() as AddressInfo
  return { app, port, connect: (path, ...rest) => connectTo({ port }, path, ...rest) }
}

/** Connects a client. It is closed at the end of the test. */
export async function connectTo(...args: Parameters<typeof connectClient>): Promise<Inbox> {
  const inbox = await connectClient(...args)
  endings.push(() => inbox.socket.terminate())
  return inbox
}
