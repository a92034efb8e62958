import 'reflect-metadata'
import { Get, Req, Res } from '@nestjs/common'
import type { WebSocket } from '@oneport/core'
import { agree } from '@oneport/core/adapter'
import { RequestBinding } from './binding.ts'
import { type FrameworkRequest, type FrameworkResponse, rawOf } from './framework.ts'
import { ROUTE_ARGS_METADATA } from './nest.ts'
import { checkRouteOptions, optionsOf, type RouteOptions } from './options.ts'
import { forFilters } from './refusal.ts'

const socketMetadata = 'oneport:socket'

/** The index of the parameter with `@Socket()`; undefined if there is none. */
export const socketIndexOf = (target: object, method: string | symbol): number | undefined =>
  Reflect.getMetadata(socketMetadata, target, method)

/** The parameter that gets the open socket, in a method with `@WebSocketRoute()` and in `handleConnection`. */
export function Socket(): ParameterDecorator {
  return (target, method, index) => {
    if (method !== undefined) Reflect.defineMetadata(socketMetadata, index, target, method)
  }
}

/** The indices of the parameters whose values Nest takes from the request, by their decorators. */
export const routeArgumentsOf = (type: object, method: string | symbol): number[] =>
  Object.values<{ index: number }>(Reflect.getMetadata(ROUTE_ARGS_METADATA, type, method) ?? {}).map(
    ({ index }) => index
  )

/**
 * Makes a method of a controller a WebSocket endpoint. It is a GET route like any other, with the prefix, version,
 * middleware, guards, interceptors, pipes and exception filters of one. They run before the connection opens. Then the
 * method is called with the open socket, in the parameter with `@Socket()`. An ordinary request gets 426.
 *
 * @param path the path of the route, below that of the controller
 * @param options options of this endpoint, which override those of `OneportAdapter`
 * @throws TypeError if an option is wrong, or if no parameter has `@Socket()`
 */
export function WebSocketRoute(path: string | string[] = '/', options: RouteOptions = {}): WebSocketRouteDecorator {
  return (target, name, descriptor) => {
    const call = `${target.constructor.name}.${String(name)}: @WebSocketRoute()`
    const index = socketIndexOf(target, name)
    if (index === undefined) throw new TypeError(`${call}: one parameter must have @Socket()`)
    checkRouteOptions(options, call)
    const optionsFor = optionsOf(options)
    const method = descriptor.value as unknown as (...args: unknown[]) => unknown
    const count = Math.max(method.length, index + 1, ...routeArgumentsOf(target.constructor, name).map((n) => n + 1))
    // Two more parameters: Nest passes the request and the response to them.
    Req()(target, name, count)
    Res({ passthrough: true })(target, name, count + 1)
    const { [name as string]: route } = {
      [name](this: object, ...args: unknown[]): void {
        const [request, response] = args.splice(count) as [FrameworkRequest, FrameworkResponse]
        const open = (socket: WebSocket): unknown => {
          args[index] = socket
          return method.apply(this, args)
        }
        try {
          agree(rawOf(request), optionsFor(request), open, new RequestBinding(request))
          // Not sooner, as with @HttpCode(101): an exception filter may answer without setting a status.
          response.status(101)
        } catch (error) {
          throw forFilters(error, response)
        }
      }
    }
    for (const key of Reflect.getMetadataKeys(method)) {
      Reflect.defineMetadata(key, Reflect.getMetadata(key, method), route as object)
    }
    descriptor.value = route as unknown as NonNullable<typeof descriptor.value>
    Get(path)(target, name, descriptor)
  }
}

/** What {@link WebSocketRoute} returns. It decorates methods. */
export type WebSocketRouteDecorator = <Method extends (...args: never[]) => unknown>(
  target: object,
  name: string | symbol,
  descriptor: TypedPropertyDescriptor<Method>
) => void
