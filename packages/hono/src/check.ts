import type { CheckedHandshake, EndpointOptions } from '@oneport/core'
import { checkHandshake as checkCoreHandshake } from '@oneport/core/adapter'
import type { Context } from 'hono'
import { ContextBinding } from './binding.ts'
import { exchangeOf } from './exchange.ts'
import { withResponse } from './refusal.ts'

/**
 * Checks an opening handshake without accepting it, for middleware that runs before something expensive.
 * `acceptWebSocket` checks the same rules again.
 *
 * @param options options of the endpoint
 * @returns the subprotocol that the 101 would name
 * @throws HandshakeError with the status and the header fields of the refusal
 */
export function checkHandshake(c: Context, options?: EndpointOptions): CheckedHandshake {
  try {
    return checkCoreHandshake(exchangeOf(c, 'checkHandshake').incoming, options, new ContextBinding(c))
  } catch (error) {
    throw withResponse(error)
  }
}
