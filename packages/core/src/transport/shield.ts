import type { ServerResponse } from 'node:http'
import { handshakeOf } from '../handshake.ts'

/** One descriptor for all responses, so that they keep a common hidden class. */
const watched: PropertyDescriptor = {
  configurable: true,
  get(this: ServerResponse): boolean {
    const isSent = Reflect.get(Object.getPrototypeOf(this) as ServerResponse, 'headersSent', this)
    if (isSent) handshakeOf(this.req)?.shield()
    return isSent
  }
}

/**
 * Protects the raw socket from a framework whose route fails after the 101: frameworks check `headersSent`, then destroy
 * the connection of the request.
 */
export const watchHeadersSent = (res: ServerResponse): void => void Object.defineProperty(res, 'headersSent', watched)
