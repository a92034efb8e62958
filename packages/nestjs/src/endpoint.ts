import type { AbstractHttpAdapter } from '@nestjs/core'
import { BaseWsExceptionFilter } from '@nestjs/websockets'
import { type AcceptOptions, CloseCode, type WebSocket } from '@oneport/core'
import { type Agreement, agree, isWebSocketRequest, whenSettled } from '@oneport/core/adapter'
import { logger, RequestBinding } from './binding.ts'
import { type FrameworkRequest, type FrameworkResponse, type Next, rawOf } from './framework.ts'
import type { Gateway } from './gateway.ts'
import { callGathered, gather } from './gather.ts'
import type { NestContainer } from './nest.ts'
import { optionsOf } from './options.ts'
import { type Answer, Pipeline } from './pipeline.ts'
import { isWsException } from './refusal.ts'
import { routeArgumentsOf, socketIndexOf } from './route.ts'
import { type GatewayServer, openOn } from './server.ts'

/** The values of the parameters of each gateway's `handleConnection`, until it is called. */
const valuesOf = new WeakMap<WebSocket, Map<Gateway, readonly unknown[]>>()

/** A path, and on it one gateway or several. A handshake has to pass all of them. */
export class GatewayEndpoint {
  readonly path: string
  readonly port: number
  readonly server: GatewayServer
  readonly #http: AbstractHttpAdapter
  readonly #optionsFor: (request: object) => AcceptOptions
  readonly #pipelines: ReadonlyMap<Gateway, Pipeline>

  /** @throws TypeError if more than one gateway has options */
  constructor(
    container: NestContainer,
    http: AbstractHttpAdapter,
    server: GatewayServer,
    gateways: readonly Gateway[]
  ) {
    const [{ path, port }] = gateways as [Gateway]
    const withOptions = gateways.filter(({ endpoint }) => Object.keys(endpoint).length > 0)
    if (withOptions.length > 1) {
      const names = withOptions.map(({ type }) => type.name).join(' and ')
      throw new TypeError(`${names}: only one of the gateways on the path ${path} can have options of the connection`)
    }
    this.path = path
    this.port = port
    this.server = server
    this.#http = http
    this.#optionsFor = optionsOf(withOptions[0]?.endpoint ?? {})
    this.#pipelines = new Map(gateways.map((gateway) => [gateway, new Pipeline(container, http, gateway)]))
  }

  /** Handles a request, or passes it on if it is no handshake. */
  readonly handle = async (request: FrameworkRequest, response: FrameworkResponse, next?: Next): Promise<void> => {
    if (!isWebSocketRequest(rawOf(request))) {
      next?.()
      return
    }
    const values = new Map<Gateway, unknown[]>()
    let agreement: Agreement | undefined
    let answer: Answer | undefined
    for (const [gateway, pipeline] of this.#pipelines) {
      answer = await pipeline.run(request, response, next, (given) => {
        values.set(gateway, given)
        if (values.size === this.#pipelines.size) agreement = this.#agree(request, values)
      })
      // An exception filter has answered.
      if (answer === undefined) return
      // An interceptor has answered in place of the gateway.
      if (!values.has(gateway)) break
    }
    if (agreement === undefined) this.#http.reply(response, answer?.body, answer?.status)
    else this.#http.reply(response, undefined, 101)
    if (agreement !== undefined) await whenSettled(agreement)
  }

  #agree(request: FrameworkRequest, values: Map<Gateway, readonly unknown[]>): Agreement {
    const open = (socket: WebSocket): unknown => {
      valuesOf.set(socket, values)
      return gather(() => openOn(this.server, socket, request))
    }
    return agree(rawOf(request), this.#optionsFor(request), open, new RequestBinding(request))
  }
}

/**
 * Calls `handleConnection` of a gateway with the socket and the request, and with the values that its other parameters got
 * before the connection opened. If it fails, the connection is closed: with 1008 after a `WsException`, or with 1011.
 */
export function connect(gateway: Gateway, instance: object, socket: WebSocket, request: unknown): void {
  const { prototype } = gateway.type
  const values = valuesOf.get(socket)?.get(gateway) ?? []
  // A connection keeps nothing of its request.
  valuesOf.get(socket)?.delete(gateway)
  const args: unknown[] = [socket, request]
  for (const index of routeArgumentsOf(gateway.type, 'handleConnection')) {
    // Nest takes @ConnectedSocket() for @Req().
    if (index > 0 || values[0] !== request) args[index] = values[index]
  }
  const socketIndex = socketIndexOf(prototype, 'handleConnection')
  if (socketIndex !== undefined) args[socketIndex] = socket
  callGathered(
    async () => {
      try {
        await prototype.handleConnection.apply(instance, args)
      } catch (error) {
        tell(socket, error)
      }
    },
    (error) => {
      logger.error(error)
      socket.close(CloseCode.INTERNAL_ERROR)
    }
  )
}

/** Sends a `WsException` as methods for messages do. Throws any other error again. */
function tell(socket: WebSocket, error: unknown): void {
  if (!isWsException(error)) throw error
  new BaseWsExceptionFilter().handleError(socket, error, { pattern: 'handleConnection', data: undefined })
  socket.close(CloseCode.POLICY_VIOLATION)
}
