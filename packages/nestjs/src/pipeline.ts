import { RequestMethod, type Type } from '@nestjs/common'
import {
  type AbstractHttpAdapter,
  type ApplicationConfig,
  BaseExceptionFilter,
  type ContextId,
  ContextIdFactory
} from '@nestjs/core'
import { BaseWsExceptionFilter } from '@nestjs/websockets'
import { logger } from './binding.ts'
import type { FrameworkRequest, FrameworkResponse, Next } from './framework.ts'
import type { Gateway } from './gateway.ts'
import {
  ExecutionContextHost,
  GUARDS_METADATA,
  GuardsConsumer,
  GuardsContextCreator,
  Injector,
  InstanceWrapper,
  InterceptorsConsumer,
  InterceptorsContextCreator,
  type NestContainer,
  PipesConsumer,
  PipesContextCreator,
  REQUEST_CONTEXT_ID,
  RouteParamsFactory,
  RouterExceptionFilters,
  RouterExecutionContext
} from './nest.ts'
import { forFilters } from './refusal.ts'

/** What the interceptors of a gateway made of its answer. */
export interface Answer {
  readonly body: unknown
  readonly status: number | undefined
}

/** A handshake on its way through the pipeline of a gateway. */
interface Passage {
  /** Called in place of the gateway's method with the values of its parameters, inside its interceptors. */
  enter(values: unknown[]): void
  /** Called in place of sending the answer. */
  answer(answer: Answer): void
}

/** Handshakes under way, by their response. */
type Passages = WeakMap<FrameworkResponse, Passage>

/**
 * Runs the guards, interceptors, pipes and exception filters of a gateway for a handshake, as Nest does for a method of a
 * controller: those that are global, on the class, and on the method `handleConnection`.
 */
export class Pipeline {
  readonly #container: NestContainer
  readonly #http: AbstractHttpAdapter
  readonly #gateway: Gateway
  readonly #passages: Passages = new WeakMap()
  readonly #filters: RouterExceptionFilters
  readonly #execution: RouterExecutionContext
  readonly #injector = new Injector()
  /** An object with the class of the gateway, to read its metadata. Handshakes need no instance of the gateway. */
  readonly #standIn: { constructor: Type }
  /** The class whose guards, interceptors, pipes and filters run for handshakes. */
  readonly #enhanced: Type
  /** A function with the metadata of `handleConnection`. It returns the values of its parameters. */
  readonly #method: (...values: unknown[]) => unknown[]
  /** Knows which guards, interceptors, pipes and filters depend on the request. */
  readonly #host: InstanceWrapper
  readonly #static: Handlers | undefined

  constructor(container: NestContainer, http: AbstractHttpAdapter, gateway: Gateway) {
    const config = container.applicationConfig as ApplicationConfig
    this.#container = container
    this.#http = http
    this.#gateway = gateway
    this.#filters = new HandshakeFilters(container, config, http)
    this.#execution = new RouterExecutionContext(
      new (RouteParamsFactory as new (config: unknown) => RouteParamsFactory)(config),
      new PipesContextCreator(container, config),
      new PipesConsumer(),
      new GuardsContextCreator(container, config),
      new GuardsConsumer(),
      new InterceptorsContextCreator(container, config),
      new HandshakeInterceptors(this.#passages),
      this.#withoutReply(http)
    )
    const { type } = gateway
    this.#enhanced = gateway.classGuards === 'messages' ? withoutGuards(type) : type
    this.#standIn = Object.create(this.#enhanced.prototype, { constructor: { value: type, writable: true } })
    this.#method = methodOf(gateway.type)
    this.#host = new InstanceWrapper({
      token: Symbol(type.name),
      name: type.name,
      metatype: class {},
      host: gateway.module
    })
    const scoped = [
      ...config.getGlobalRequestGuards(),
      ...config.getGlobalRequestInterceptors(),
      ...config.getGlobalRequestPipes(),
      ...config.getGlobalRequestFilters()
    ]
    for (const enhancer of [...(gateway.wrapper.getEnhancersMetadata() ?? []), ...scoped]) {
      this.#host.addEnhancerMetadata(enhancer)
    }
    if (this.#host.isDependencyTreeStatic()) this.#static = this.#create(undefined, gateway.wrapper.id)
  }

  /**
   * @param enter called in place of the gateway's method with the values of its parameters, inside its interceptors
   * @returns what the interceptors made of the answer; undefined if an exception filter has answered
   */
  async run(
    request: FrameworkRequest,
    response: FrameworkResponse,
    next: Next | undefined,
    enter: Passage['enter']
  ): Promise<Answer | undefined> {
    let filters = this.#static?.filters
    try {
      const handlers = this.#static ?? (await this.#createFor(request))
      filters = handlers.filters
      return await new Promise((answer, reject) => {
        this.#passages.set(response, { enter, answer })
        // Its promise is of no use: in Fastify, it waits for the end of the response.
        handlers.handle(request, response, next as Next).catch(reject)
      })
    } catch (error) {
      const exception = forFilters(error, response)
      filters ??= this.#filters.create(this.#standIn as never, this.#method as never, this.#gateway.module.token)
      const host = new ExecutionContextHost([request, response, next])
      try {
        filters.next(exception as Error, host)
      } catch (failure) {
        // Such as a filter that sends messages: there is no socket yet. The refusal stays what it is.
        logger.error(failure)
        new BaseExceptionFilter(this.#http).catch(exception, host)
      }
      return undefined
    }
  }

  async #createFor(request: FrameworkRequest): Promise<Handlers> {
    const { module } = this.#gateway
    const context = this.#contextOf(request)
    const collection = new Map([[this.#host.token, this.#host]])
    await this.#injector.loadPerContext(this.#host.instance, module, collection, context, this.#host)
    return this.#create(context, this.#host.id)
  }

  #create(context: ContextId | undefined, inquirer: string): Handlers {
    const { token } = this.#gateway.module
    const rest = [context, inquirer] as const
    // Nest reads the metadata now, and the class for `getClass()` later.
    this.#standIn.constructor = this.#enhanced
    const handlers = {
      handle: this.#execution.create(
        this.#standIn as never,
        this.#method,
        'handleConnection',
        token,
        RequestMethod.GET,
        ...rest
      ),
      filters: this.#filters.create(this.#standIn as never, this.#method as never, token, ...rest)
    }
    this.#standIn.constructor = this.#gateway.type
    return handlers
  }

  /** The context of the request, with the provider `REQUEST`, as Nest creates it for routes. */
  #contextOf(request: FrameworkRequest & { [REQUEST_CONTEXT_ID]?: ContextId }): ContextId {
    const context = ContextIdFactory.getByRequest(request) as ContextId & { payload?: object }
    if (request[REQUEST_CONTEXT_ID] !== undefined) return context
    Object.defineProperty(request, REQUEST_CONTEXT_ID, { value: context })
    const provided = this.#host.isDependencyTreeDurable() ? context.payload : Object.assign(request, context.payload)
    this.#container.registerRequestProvider(provided, context)
    return context
  }

  /** The HTTP adapter, but what it would send goes to the passage. */
  #withoutReply(http: AbstractHttpAdapter): AbstractHttpAdapter {
    const reply = (response: FrameworkResponse, body: unknown, status?: number): void =>
      this.#passages.get(response)?.answer({ body, status })
    return Object.create(http, { reply: { value: reply } })
  }
}

interface Handlers {
  readonly handle: ReturnType<RouterExecutionContext['create']>
  readonly filters: ReturnType<RouterExceptionFilters['create']>
}

/** Hands the values of the parameters to the passage, where a route calls its method. */
class HandshakeInterceptors extends InterceptorsConsumer {
  readonly #passages: Passages

  constructor(passages: Passages) {
    super()
    this.#passages = passages
  }

  override intercept(...args: Parameters<InterceptorsConsumer['intercept']>): Promise<unknown> {
    const [interceptors, routeArgs, instance, callback, next, type] = args
    const enter = async (): Promise<void> => {
      const values = (await next()) as unknown[]
      this.#passages.get(routeArgs[1] as FrameworkResponse)?.enter(values)
    }
    return super.intercept(interceptors, routeArgs, instance, callback, enter, type)
  }
}

/** Leaves out the filters that answer messages. */
class HandshakeFilters extends RouterExceptionFilters {
  override createConcreteContext<T extends unknown[], R extends unknown[]>(
    metadata: T,
    context?: ContextId,
    inquirer?: string
  ): R {
    const filters = (metadata ?? []).filter((filter) => !isForMessages(filter)) as T
    return super.createConcreteContext(filters, context, inquirer)
  }
}

const isForMessages = (filter: unknown): boolean =>
  filter instanceof BaseWsExceptionFilter || (filter as Type | undefined)?.prototype instanceof BaseWsExceptionFilter

/** A class with the same metadata, except that it has no guards. */
function withoutGuards(type: Type<object>): Type<object> {
  const Derived = { [type.name]: class extends type {} }[type.name] as Type<object>
  Reflect.defineMetadata(GUARDS_METADATA, [], Derived)
  return Derived
}

function methodOf(type: Type<object>): (...values: unknown[]) => unknown[] {
  const { handleConnection } = type.prototype
  const method = { handleConnection: (...values: unknown[]) => values }.handleConnection
  if (handleConnection === undefined) return method
  for (const key of Reflect.getMetadataKeys(handleConnection)) {
    Reflect.defineMetadata(key, Reflect.getMetadata(key, handleConnection), method)
  }
  return method
}
