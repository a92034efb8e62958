import { carrierOf, type HandshakeRequest } from '../handshake.ts'
import type { EndpointOptions } from './endpoint.ts'

/** The property that has the defaults for the endpoints of a handshake. All copies of core in the process share it. */
const defaults = Symbol.for('oneport.defaults@1')

const carrier = (req: HandshakeRequest): { [defaults]?: EndpointOptions | undefined } => carrierOf(req)

/**
 * Sets defaults for the endpoints that a request reaches from here on, for adapters whose middleware has options. They
 * override earlier ones.
 */
export function setDefaults(req: HandshakeRequest, options: EndpointOptions): void {
  carrier(req)[defaults] = withDefaults(req, options)
}

/** Whether `setDefaults` was called for a request. */
export const hasDefaults = (req: HandshakeRequest): boolean => carrier(req)[defaults] !== undefined

/** Caches merged options by identity, because each object is resolved only once. */
const merged = new WeakMap<EndpointOptions, WeakMap<EndpointOptions, EndpointOptions>>()

/** The options of an endpoint, with the defaults that were set for the request. */
export function withDefaults<Options extends EndpointOptions>(
  req: HandshakeRequest,
  options: Options | undefined
): Options | EndpointOptions | undefined {
  const passed = carrier(req)[defaults]
  if (options === undefined || passed === undefined) return options ?? passed
  const known = merged.get(passed) ?? new WeakMap<EndpointOptions, EndpointOptions>()
  merged.set(passed, known)
  const all = known.get(options) ?? merge(passed, options)
  known.set(options, all)
  return all
}

/** Ignores undefined values, because they must not undo a stricter default. */
function merge(passed: EndpointOptions, own: EndpointOptions): EndpointOptions {
  return { ...passed, ...Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined)) }
}
