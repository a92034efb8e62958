/**
 * The parts of Nest that are not in its public interface, all in this file. Each path is the same in NestJS 11 and 12.
 */
export {
  GUARDS_METADATA,
  PATH_METADATA,
  ROUTE_ARGS_METADATA
} from '@nestjs/common/constants'
export { GuardsConsumer } from '@nestjs/core/guards/guards-consumer'
export { GuardsContextCreator } from '@nestjs/core/guards/guards-context-creator'
export { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host'
export type { NestContainer } from '@nestjs/core/injector/container'
export { Injector } from '@nestjs/core/injector/injector'
export { InstanceWrapper } from '@nestjs/core/injector/instance-wrapper'
export type { Module } from '@nestjs/core/injector/module'
export { InterceptorsConsumer } from '@nestjs/core/interceptors/interceptors-consumer'
export { InterceptorsContextCreator } from '@nestjs/core/interceptors/interceptors-context-creator'
export { PipesConsumer } from '@nestjs/core/pipes/pipes-consumer'
export { PipesContextCreator } from '@nestjs/core/pipes/pipes-context-creator'
export { REQUEST_CONTEXT_ID } from '@nestjs/core/router/request/request-constants'
export { RouteParamsFactory } from '@nestjs/core/router/route-params-factory'
export { RouterExceptionFilters } from '@nestjs/core/router/router-exception-filters'
export { RouterExecutionContext } from '@nestjs/core/router/router-execution-context'
export { GATEWAY_METADATA, GATEWAY_OPTIONS, PORT_METADATA } from '@nestjs/websockets/constants'
export { WebSocketsController } from '@nestjs/websockets/web-sockets-controller'
