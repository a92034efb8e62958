import type { INestApplication, LoggerService, ModuleMetadata } from '@nestjs/common'
import type { OneportAdapter, OneportOptions } from '../src/index.ts'
import type { Nest, Platform } from './versions.ts'

/** Keeps what the application logs, by level. */
export class TestLogger implements LoggerService {
  readonly lines: string[] = []

  log(): void {}

  error(message: unknown): void {
    this.lines.push(`error: ${message}`)
  }

  warn(message: unknown): void {
    this.lines.push(`warn: ${message}`)
  }
}

export interface Started {
  readonly app: INestApplication
  readonly adapter: OneportAdapter
  readonly logger: TestLogger
}

const started: INestApplication[] = []

/**
 * Starts an application with the adapter, without a port.
 * @param prepare called after the adapter has been set, before `app.init()`
 */
export async function start(
  nest: Nest,
  platform: Platform,
  metadata: ModuleMetadata & { configure?: (consumer: import('@nestjs/common').MiddlewareConsumer) => void },
  options?: OneportOptions,
  prepare: (app: INestApplication) => unknown = () => {},
  { rawBody = false } = {}
): Promise<Started> {
  const { configure, ...module } = metadata
  class Root {
    configure(consumer: import('@nestjs/common').MiddlewareConsumer): void {
      configure?.(consumer)
    }
  }
  nest.common.Module(module)(Root)
  const http = platform === 'Express' ? new nest.express.ExpressAdapter() : new nest.fastify.FastifyAdapter()
  const logger = new TestLogger()
  const app = await nest.core.NestFactory.create(Root, http, { logger, abortOnError: false, rawBody })
  const adapter = new nest.oneport.OneportAdapter(app, options)
  app.useWebSocketAdapter(adapter)
  await prepare(app)
  await app.init()
  if (platform === 'Fastify') await http.getInstance().ready()
  started.push(app)
  return { app, adapter, logger }
}

/** Closes the applications of a test. For `afterEach`. */
export async function closeAll(): Promise<void> {
  for (const app of started.splice(0)) await app.close()
}
