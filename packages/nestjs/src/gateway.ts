import type { Type } from '@nestjs/common'
import {
  GATEWAY_METADATA,
  GATEWAY_OPTIONS,
  type InstanceWrapper,
  type Module,
  type NestContainer,
  PORT_METADATA,
  WebSocketsController
} from './nest.ts'
import { type ClassGuards, type RouteOptions, splitGatewayOptions } from './options.ts'

/** A class with `@WebSocketGateway()`, in one module. */
export interface Gateway {
  readonly type: Type<object>
  readonly wrapper: InstanceWrapper
  readonly module: Module
  /** A port of its own; 0 for that of the application. */
  readonly port: number
  readonly path: string
  readonly classGuards: ClassGuards
  readonly endpoint: RouteOptions
}

/**
 * Finds the gateways of an application, in the order in which Nest registers them.
 * @throws TypeError if the options of one are wrong
 * @throws Error if one depends on a request, which NestJS 11 does not support in gateways
 */
export function findGateways(container: NestContainer, classGuards: ClassGuards): Gateway[] {
  const all: Gateway[] = []
  for (const module of container.getModules().values()) {
    for (const wrapper of module.providers.values()) {
      const { metatype } = wrapper
      if (wrapper.isNotMetatype || typeof metatype !== 'function') continue
      if (!Reflect.hasMetadata(GATEWAY_METADATA, metatype)) continue
      const type = metatype as Type<object>
      if (!wrapper.isDependencyTreeStatic()) checkRequestScope(type.name)
      const options = Reflect.getMetadata(GATEWAY_OPTIONS, type) ?? {}
      const port: number = Reflect.getMetadata(PORT_METADATA, type) ?? 0
      all.push({ type, wrapper, module, port, ...splitGatewayOptions(options, type.name, classGuards) })
    }
  }
  return all
}

function checkRequestScope(name: string): void {
  if ('createRequestScopedHandler' in WebSocketsController.prototype) return
  throw new Error(
    `${name} or one of its guards, interceptors, pipes or filters depends on a request. Gateways of NestJS 11 cannot; ` +
      'those of NestJS 12 and methods with @WebSocketRoute() can.'
  )
}
