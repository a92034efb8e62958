import type { AcceptOptions, Attachment, EndpointOptions, WebSocket } from '@oneport/core'
import type {
  ContextConfigDefault,
  FastifyBaseLogger,
  FastifyInstance,
  FastifyRequest,
  FastifySchema,
  FastifyTypeProvider,
  FastifyTypeProviderDefault,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerBase,
  RawServerDefault,
  RequestGenericInterface,
  RouteGenericInterface,
  RouteOptions
} from 'fastify'

/** The handler of a `{ websocket: true }` route. `this` is the Fastify instance of the route. */
export type WebSocketRouteHandler<
  RawServer extends RawServerBase = RawServerDefault,
  RawRequest extends RawRequestDefaultExpression<RawServer> = RawRequestDefaultExpression<RawServer>,
  RequestGeneric extends RequestGenericInterface = RequestGenericInterface,
  ContextConfig = ContextConfigDefault,
  SchemaCompiler extends FastifySchema = FastifySchema,
  TypeProvider extends FastifyTypeProvider = FastifyTypeProviderDefault,
  Logger extends FastifyBaseLogger = FastifyBaseLogger
> = (
  this: FastifyInstance,
  socket: WebSocket,
  request: FastifyRequest<RequestGeneric, RawServer, RawRequest, SchemaCompiler, TypeProvider, ContextConfig, Logger>
) => unknown

declare module 'fastify' {
  interface FastifyInstance<RawServer, RawRequest, RawReply, Logger, TypeProvider> {
    /** The open sockets of this server, and `drain()`, which `app.close()` calls. */
    websockets: Attachment
  }

  interface FastifyReply {
    /**
     * Accepts the opening handshake of this route: sends the 101 as this reply, through all hooks, and calls `handler`
     * with the open socket in the same tick. A refusal goes to the error handler as a `HandshakeError`.
     *
     * @returns a promise that resolves when the 101 or the refusal has been sent. A refusal does not reject it. Return
     * it from the route like any reply: if an async route does not, Fastify sends a reply of its own.
     */
    acceptWebSocket(handler: (this: FastifyInstance, socket: WebSocket) => unknown): Promise<void>
    /**
     * Accepts the opening handshake of this route: sends the 101 as this reply, through all hooks, and calls `handler`
     * with the open socket in the same tick. A refusal goes to the error handler as a `HandshakeError`.
     *
     * @param options options of this endpoint, which override those of the plugin, and the credential of this
     * connection
     * @returns a promise that resolves when the 101 or the refusal has been sent. A refusal does not reject it. Return
     * it from the route like any reply: if an async route does not, Fastify sends a reply of its own.
     */
    acceptWebSocket(
      options: AcceptOptions,
      handler: (this: FastifyInstance, socket: WebSocket) => unknown
    ): Promise<void>
  }

  interface RouteShorthandOptions {
    /**
     * Makes the route a WebSocket endpoint: `true`, or the options of the endpoint. Its handler is then a
     * {@link WebSocketRouteHandler}, as in the overloads below.
     */
    // No value is options and a function, so that only those overloads take options. The type is here because
    // TypeScript reports the last overload, which is Fastify's: it names a misspelt option.
    websocket?: false | (EndpointOptions & (() => never))
  }

  interface RouteShorthandMethod<
    RawServer extends RawServerBase = RawServerDefault,
    RawRequest extends RawRequestDefaultExpression<RawServer> = RawRequestDefaultExpression<RawServer>,
    RawReply extends RawReplyDefaultExpression<RawServer> = RawReplyDefaultExpression<RawServer>,
    TypeProvider extends FastifyTypeProvider = FastifyTypeProviderDefault,
    Logger extends FastifyBaseLogger = FastifyBaseLogger
  > {
    /** Adds a WebSocket endpoint. Its handler is called with the open socket and the request of the handshake. */
    <
      RequestGeneric extends RequestGenericInterface = RequestGenericInterface,
      ContextConfig = ContextConfigDefault,
      const SchemaCompiler extends FastifySchema = FastifySchema,
      InnerLogger extends Logger = Logger
    >(
      path: string,
      opts: Omit<
        RouteShorthandOptions<
          RawServer,
          RawRequest,
          RawReply,
          RequestGeneric,
          ContextConfig,
          SchemaCompiler,
          TypeProvider,
          InnerLogger
        >,
        'websocket'
      > & {
        /** Makes the route a WebSocket endpoint: `true`, or the options of the endpoint. */
        websocket: true | EndpointOptions
      },
      handler: WebSocketRouteHandler<
        RawServer,
        RawRequest,
        RequestGeneric,
        ContextConfig,
        SchemaCompiler,
        TypeProvider,
        InnerLogger
      >
    ): FastifyInstance<RawServer, RawRequest, RawReply, InnerLogger, TypeProvider>
  }

  interface RouteOptions<
    RawServer extends RawServerBase = RawServerDefault,
    RawRequest extends RawRequestDefaultExpression<RawServer> = RawRequestDefaultExpression<RawServer>,
    RawReply extends RawReplyDefaultExpression<RawServer> = RawReplyDefaultExpression<RawServer>,
    RouteGeneric extends RouteGenericInterface = RouteGenericInterface,
    ContextConfig = ContextConfigDefault,
    SchemaCompiler extends FastifySchema = FastifySchema,
    TypeProvider extends FastifyTypeProvider = FastifyTypeProviderDefault,
    Logger extends FastifyBaseLogger = FastifyBaseLogger
  > {
    /** Handles the handshakes of a route whose `handler` handles ordinary requests. */
    wsHandler?: WebSocketRouteHandler<
      RawServer,
      RawRequest,
      RouteGeneric,
      ContextConfig,
      SchemaCompiler,
      TypeProvider,
      Logger
    >
  }

  interface FastifyInstance<RawServer, RawRequest, RawReply, Logger, TypeProvider> {
    /** Adds a WebSocket endpoint. Its handler is called with the open socket and the request of the handshake. */
    route<
      RouteGeneric extends RouteGenericInterface = RouteGenericInterface,
      ContextConfig = ContextConfigDefault,
      const SchemaCompiler extends FastifySchema = FastifySchema
    >(
      opts: Omit<
        RouteOptions<
          RawServer,
          RawRequest,
          RawReply,
          RouteGeneric,
          ContextConfig,
          SchemaCompiler,
          TypeProvider,
          Logger
        >,
        'handler' | 'websocket' | 'wsHandler'
      > & {
        /** Makes the route a WebSocket endpoint: `true`, or the options of the endpoint. */
        websocket: true | EndpointOptions
        /** Not allowed here, because `handler` handles the handshakes. */
        wsHandler?: undefined
        /** Called with the open socket and the request of the handshake. */
        handler: WebSocketRouteHandler<
          RawServer,
          RawRequest,
          RouteGeneric,
          ContextConfig,
          SchemaCompiler,
          TypeProvider,
          Logger
        >
      }
    ): FastifyInstance<RawServer, RawRequest, RawReply, Logger, TypeProvider>

    /** Adds a route whose `handler` handles ordinary requests, and whose `wsHandler` handles handshakes. */
    route<
      RouteGeneric extends RouteGenericInterface = RouteGenericInterface,
      ContextConfig = ContextConfigDefault,
      const SchemaCompiler extends FastifySchema = FastifySchema
    >(
      opts: Omit<
        RouteOptions<
          RawServer,
          RawRequest,
          RawReply,
          RouteGeneric,
          ContextConfig,
          SchemaCompiler,
          TypeProvider,
          Logger
        >,
        'websocket' | 'wsHandler'
      > & {
        /** The options of the endpoint. */
        websocket: EndpointOptions
        /** Called with the open socket and the request of the handshake. */
        wsHandler: WebSocketRouteHandler<
          RawServer,
          RawRequest,
          RouteGeneric,
          ContextConfig,
          SchemaCompiler,
          TypeProvider,
          Logger
        >
      }
    ): FastifyInstance<RawServer, RawRequest, RawReply, Logger, TypeProvider>
  }
}

/** A route in the `onRoute` hook, where its handler may be of either kind. */
export type AnyRoute = Omit<RouteOptions, 'websocket'> & { websocket?: boolean | EndpointOptions }
