import 'reflect-metadata'
import { cases, type Subject } from '@oneport/adapter-testsuite'
import { describeOtherClients } from '@oneport/test-kit'
import onHeaders from 'on-headers'
import type { Nest } from './versions.ts'

type Application = Parameters<Subject>[0]

/** The pages and endpoints of a case as controllers. */
function controllersOf(
  { common, oneport }: Nest,
  { pages, endpoints }: Application,
  asRoutes: boolean
): (new () => object)[] {
  const { All, Controller, HttpCode } = common
  const { Socket, WebSocketRoute } = oneport
  const ofPages = pages.map(({ path, text }) => {
    @Controller()
    class Page {
      @All(path)
      @HttpCode(200)
      read(): string {
        return text
      }
    }
    return Page
  })
  const ofEndpoints = endpoints.map(({ path, options, handler }) => {
    @Controller()
    class Endpoint {
      @WebSocketRoute(path, options)
      open(@Socket() socket: Parameters<typeof handler>[0]): unknown {
        return handler(socket)
      }
    }
    return Endpoint
  })
  return asRoutes ? [...ofPages, ...ofEndpoints] : ofPages
}

/** The endpoints of a case as gateways. */
const gatewaysOf = ({ websockets }: Nest, { endpoints }: Application): (new () => object)[] =>
  endpoints.map(({ path, options, handler }) => {
    @websockets.WebSocketGateway({ path, ...options })
    class Gateway {
      handleConnection(socket: Parameters<typeof handler>[0]): unknown {
        return handler(socket)
      }
    }
    return Gateway
  })

const subject =
  (nest: Nest, platform: 'Express' | 'Fastify', asRoutes: boolean): Subject =>
  async (application) => {
    const { before, createServer, fields, http2, lateFields, options, serverOptions, tls } = application
    class ExpressAdapter extends nest.express.ExpressAdapter {
      override initHttpServer(): void {
        this.httpServer = createServer(this.getInstance())
      }
    }
    const { FastifyAdapter } = nest.fastify
    const http =
      platform === 'Express'
        ? new ExpressAdapter()
        : new FastifyAdapter({ http2, [tls ? 'https' : 'http']: serverOptions } as object)
    @nest.common.Module({
      controllers: controllersOf(nest, application, asRoutes),
      providers: asRoutes ? [] : gatewaysOf(nest, application)
    })
    class Root {}
    const app = await nest.core.NestFactory.create(Root, http, { logger: false, abortOnError: false })
    const adapter = new nest.oneport.OneportAdapter(app, options)
    app.useWebSocketAdapter(adapter)
    app.use((_req: object, res: import('node:http').ServerResponse, next: () => void) => {
      for (const [name, value] of Object.entries(fields)) res.setHeader(name, value)
      if (platform === 'Express') {
        onHeaders(res, () => {
          for (const [name, value] of Object.entries(lateFields)) res.setHeader(name, value)
        })
      }
      next()
    })
    app.use((...[req, res, next]: [...Parameters<Application['before']>, (error?: unknown) => void]) => {
      before(req, res).then(
        () => next(),
        (error) => next(toException(nest, error))
      )
    })
    if (platform === 'Fastify') {
      const fastify = http.getInstance()
      fastify.addHook('onSend', async (_request: object, reply: { headers(fields: object): void }) => {
        reply.headers(lateFields)
      })
      fastify.addContentTypeParser('*', (_request: object, _payload: object, done: (error: null) => void) => done(null))
    }
    await app.listen(0, '127.0.0.1')
    return { server: app.getHttpServer(), drain: () => adapter.attachment.drain(), close: () => app.close() }
  }

/** Nest answers errors of its own kind with their status. */
const toException = ({ common }: Nest, error: unknown): unknown => {
  const { message, status } = Object(error) as { message?: string; status?: number }
  return typeof status === 'number' ? new common.HttpException(String(message), status) : error
}

/**
 * A gateway takes messages from the start, with its methods for messages. And its path is for handshakes alone, as with
 * other adapters: Nest answers all other requests, with its 404 or with a page on this path.
 */
const notOfGateways =
  /handler that listens late, in order|as an ordinary request a (?:GET at an endpoint|handshake over HTTP\/1.0|handshake with a body)|a GET at an endpoint with 405/

/** Runs the contract on both platforms, with routes and with gateways. */
export function describeContract(nest: Nest): void {
  describe.each(['Express', 'Fastify'] as const)('on %s', (platform) => {
    describe.each(['routes', 'gateways'])('%s', (kind) => {
      const serve = subject(nest, platform, kind === 'routes')
      const options = platform === 'Fastify' ? { http2: true } : {}
      const all = cases(serve, options).filter(({ name }) => kind === 'routes' || !notOfGateways.test(name))
      for (const { name, run } of all) test(name, run)
      describeOtherClients(serve, options)
    })
  })
}
