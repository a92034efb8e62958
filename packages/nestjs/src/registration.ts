import type { WebSocket } from '@oneport/core'
import { logger } from './binding.ts'
import { connect } from './endpoint.ts'
import type { Gateway } from './gateway.ts'
import { callGathered } from './gather.ts'
import { GUARDS_METADATA } from './nest.ts'

/**
 * Prepares a gateway for Nest, which is about to bind its messages and events. Nest reads the guards of messages from the
 * class, and calls `handleConnection` with the socket and the request alone. So it gets a subclass: with guards only if
 * they are for messages, and with a `handleConnection` that passes on the values of all parameters. Only the instances of
 * this application change; other applications may have the same class.
 * @returns a function to call when Nest has bound the messages
 */
export function prepareForMessages(gateway: Gateway): () => void {
  const { type, wrapper, classGuards } = gateway
  const Derived = { [type.name]: class extends type {} }[type.name] as typeof type
  if (classGuards === 'handshake') Reflect.defineMetadata(GUARDS_METADATA, [], Derived)
  if (type.prototype.handleConnection !== undefined) {
    Derived.prototype.handleConnection = function (this: object, socket: WebSocket, request: unknown) {
      connect(gateway, this, socket, request)
    }
  }
  if (type.prototype.handleDisconnect !== undefined) {
    Derived.prototype.handleDisconnect = function (this: object, ...args: unknown[]) {
      callGathered(
        () => type.prototype.handleDisconnect.apply(this, args),
        (error) => logger.error(error)
      )
    }
  }
  if (!wrapper.isDependencyTreeStatic()) {
    // Nest creates an instance for each message.
    wrapper.metatype = Derived
    return () => {}
  }
  Object.setPrototypeOf(wrapper.instance, Derived.prototype)
  // From then on, `getClass()` of execution contexts returns the class that the application knows.
  return () => Object.defineProperty(Derived.prototype, 'constructor', { value: type })
}
