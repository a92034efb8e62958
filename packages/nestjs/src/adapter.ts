import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { INestApplication, WebSocketAdapter, WsMessageHandler } from '@nestjs/common'
import type { AbstractHttpAdapter } from '@nestjs/core'
import type { Attachment, HttpServer, WebSocket } from '@oneport/core'
import { allAttachments, attach, isWebSocketRequest, limitPending, show } from '@oneport/core/adapter'
import type { Observable } from 'rxjs'
import { logFault, RequestBinding } from './binding.ts'
import { GatewayEndpoint } from './endpoint.ts'
import { type FrameworkRequest, type FrameworkResponse, type Next, prepareForExpress, rawOf } from './framework.ts'
import { findGateways, type Gateway } from './gateway.ts'
import { gather } from './gather.ts'
import { answerMessages } from './messages.ts'
import { mount } from './mount.ts'
import type { NestContainer } from './nest.ts'
import {
  checkMessageParser,
  type GatewayOptions,
  type MessageParser,
  normalizePath,
  type OneportOptions,
  type SplitOptions,
  splitOptions
} from './options.ts'
import { forFilters } from './refusal.ts'
import { prepareForMessages } from './registration.ts'
import { GatewayServer } from './server.ts'

/**
 * Serves the gateways of an application, and its routes with `@WebSocketRoute()`, on the port of the application:
 * `app.useWebSocketAdapter(new OneportAdapter(app))`. An opening handshake is a request, so middleware, guards,
 * interceptors, pipes and exception filters run before the connection opens.
 */
export class OneportAdapter implements WebSocketAdapter<GatewayServer, WebSocket, GatewayOptions> {
  /** The open sockets of the application, `stats()`, `revoke()` and `drain()`, which `app.close()` calls. */
  readonly attachment: Attachment
  readonly #http: AbstractHttpAdapter
  readonly #container: NestContainer
  readonly #options: SplitOptions
  readonly #servers = new Map<string, GatewayServer>()
  readonly #ports = new Map<number, [server: Server, attachment: Attachment]>()
  #messageParser: MessageParser | undefined
  #gateways: Gateway[] = []
  #bound: (() => void)[] = []

  /**
   * Lets the server of an application accept WebSocket connections.
   * @param app the application, before `app.init()` and `app.listen()`
   * @param options defaults for all gateways and routes, and options for the whole server
   * @throws TypeError if an option is wrong, or `app` is no application
   * @throws Error if the application has been initialized
   */
  constructor(app: INestApplication, options: OneportOptions = {}) {
    if (typeof app?.getHttpAdapter !== 'function') {
      throw new TypeError(`OneportAdapter: expected the application; got ${show(app)}`)
    }
    if ((app as unknown as { isInitialized: boolean }).isInitialized) {
      throw new Error('OneportAdapter: create it before app.init() and app.listen(), which register the gateways')
    }
    this.#options = splitOptions(options)
    this.#messageParser = this.#options.messageParser
    this.#http = app.getHttpAdapter() as AbstractHttpAdapter
    this.#container = (app as unknown as { container: NestContainer }).container
    const main = this.#attach(app.getHttpServer())
    this.attachment = allAttachments(() => [main, ...[...this.#ports.values()].map(([, attachment]) => attachment)])
    this.#limitPending()
    const hook = { onModuleInit: () => this.#mount() }
    this.#container.getInternalCoreModuleRef()?.addProvider({ provide: Symbol('OneportAdapter'), useValue: hook })
  }

  /**
   * Replaces the option `messageParser`, for connections that open from now on.
   * @throws TypeError if it is no function
   */
  setMessageParser(parser: MessageParser): void {
    checkMessageParser(parser, 'setMessageParser()')
    this.#messageParser = parser
  }

  get #isFastify(): boolean {
    return this.#http.getType() === 'fastify'
  }

  #attach(server: HttpServer): Attachment {
    const { forCore } = this.#options
    const traits = { tellsClients: true, ...(this.#isFastify ? {} : { prepare: prepareForExpress }) }
    return attach(server, undefined, { ...forCore, onError: forCore.onError ?? logFault }, traits)
  }

  /** Adds the first middleware, because later middleware may be slow. In Fastify, it gets Node's request, with its `ip`. */
  #limitPending(): void {
    const limit = (request: FrameworkRequest, response: FrameworkResponse, next: Next): void => {
      try {
        const binding = new RequestBinding(request)
        if (isWebSocketRequest(rawOf(request))) limitPending(rawOf(request), binding, binding)
      } catch (error) {
        next(forFilters(error, response))
        return
      }
      next()
    }
    this.#http.use(limit)
  }

  /** Nest sets this property just before it registers the gateways of the application. */
  set forceCloseConnections(_: unknown) {
    this.#gateways = findGateways(this.#container, this.#options.classGuards)
    this.#bound = this.#gateways.map(prepareForMessages)
  }

  /** Called by Nest, once for each path and port that gateways have. */
  create(port: number, { path }: GatewayOptions = {}): GatewayServer {
    const key = `${port}${normalizePath(path ?? '')}`
    const server = this.#servers.get(key) ?? new GatewayServer(key.slice(key.indexOf('/')))
    this.#servers.set(key, server)
    return server
  }

  /** Adds the routes of the gateways. Nest calls it when all middleware and all controllers have been added. */
  async #mount(): Promise<void> {
    for (const done of this.#bound) done()
    const endpoints = [...this.#servers].map(([key, server]) => {
      const gateways = this.#gateways.filter(({ port, path }) => `${port}${path}` === key)
      return new GatewayEndpoint(this.#container, this.#http, server, gateways)
    })
    const points = endpoints.map(({ path, port, handle }) => ({ path, server: this.#serverOf(port), handle }))
    mount(this.#http, points)
    for (const [port, [server]] of this.#ports) {
      server.listen(port)
      await once(server, 'listening')
    }
  }

  /** A server for the gateways with this port. Their handshakes go through the same application. */
  #serverOf(port: number): Server | undefined {
    if (port === 0) return undefined
    const known = this.#ports.get(port)
    if (known !== undefined) return known[0]
    const server = createServer((req, res) => {
      if (isWebSocketRequest(req)) this.#http.getHttpServer().emit('request', req, res)
      else res.writeHead(426, { Upgrade: 'websocket', Connection: 'close, Upgrade' }).end()
    })
    this.#ports.set(port, [server, this.#attach(server)])
    return server
  }

  /** Called by Nest, once for each gateway. */
  bindClientConnect(server: GatewayServer, callback: (...args: unknown[]) => void): void {
    server.on('connection', callback)
  }

  /** Called by Nest for each connection, with the methods that handle its messages. */
  bindMessageHandlers(
    socket: WebSocket,
    handlers: WsMessageHandler[],
    transform: (answer: unknown) => Observable<unknown>
  ): void {
    answerMessages(socket, handlers, transform, this.#messageParser)
  }

  /** Called by Nest for each connection. */
  bindClientDisconnect(socket: WebSocket, callback: (...args: unknown[]) => void): void {
    socket.once('close', (...args) => gather(() => callback(...args)))
  }

  /** Called by Nest when the application closes. */
  async close(server: GatewayServer): Promise<void> {
    server.emit('close')
  }

  /** Called by Nest when the application closes, and closes all connections. */
  async dispose(): Promise<void> {
    await this.attachment.drain(this.#options.drain)
    for (const [server] of this.#ports.values()) server.close()
  }
}
