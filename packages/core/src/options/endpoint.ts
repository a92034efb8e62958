import type { IncomingMessage } from 'node:http'
import { isToken } from '../http-fields.ts'
import type { MessageBudget } from '../life/budget.ts'
import { type AllowedOrigins, compileOrigins, type OriginPolicy } from '../rules/origin.ts'
import { show } from '../show.ts'
import {
  checkCount,
  checking,
  checkMilliseconds,
  checkNames,
  checkType,
  expected,
  isObject,
  isPositiveInteger,
  optionError
} from './checks.ts'
import { endpointNames, ownedWsNames, passedWsNames, whereItBelongs } from './names.ts'
import type { PerMessageDeflateOptions, WsOptions } from './ws.ts'

/** Options of an endpoint. If you pass them to `attach`, they are the defaults of every endpoint. */
export interface EndpointOptions {
  /**
   * The origins that may connect; see {@link AllowedOrigins}. Others get 403. `'any'` turns the check off.
   * RFC 6455 §10.2.
   * @default 'same-origin'
   */
  allowedOrigins?: AllowedOrigins | undefined
  /**
   * Whether to refuse handshakes without `Origin` too, with 403. Browsers always send it; most other clients do not.
   * @default false
   */
  requireOrigin?: boolean | undefined
  /**
   * The subprotocols of the endpoint, the preferred one first, or a function that chooses from what the client offers.
   * The answer never names a subprotocol that was not offered. With an empty list, it names none. RFC 6455 §1.9, §4.2.2
   * (5).
   * @default []
   */
  subprotocols?:
    | readonly string[]
    | ((offered: readonly string[], req: IncomingMessage) => string | undefined)
    | undefined
  /**
   * Whether to refuse a handshake without a matching subprotocol, with 400, instead of accepting it without one.
   * @default false
   */
  requireSubprotocol?: boolean | undefined
  /**
   * Maximum size of a message, in bytes after decompression. A larger message closes the connection with 1009 (RFC 6455
   * §7.4.1). `Infinity` for no limit.
   * @default 1_048_576
   */
  maxPayloadBytes?: number | undefined
  /**
   * Whether to compress messages (RFC 7692): `true`, `false`, or the options of `ws`. Costs memory and CPU time for
   * every connection.
   * @default false
   */
  perMessageDeflate?: boolean | PerMessageDeflateOptions | undefined
  /**
   * Time for the closing handshake before the TCP connection is cut, in milliseconds. RFC 6455 §7.1.1.
   * @default 5_000
   */
  closeTimeoutMs?: number | undefined
  /**
   * Maximum memory for unsent messages of a client that does not read, in bytes. Each message costs its size and about
   * 400 bytes. Above the limit, the connection is closed with 1013, and cut after `closeTimeoutMs`. `Infinity` for no
   * limit.
   * @default 16_777_216
   */
  maxBufferedBytes?: number | undefined
  /**
   * How many messages a client may send: `{ messages: 100, perMs: 1_000 }`. The next one closes the connection with
   * 1008 (RFC 6455 §7.4.1), and nothing more is delivered. `false` for no limit.
   * @default false
   */
  messageBudget?: MessageBudget | false | undefined
  /**
   * Whether to combine everything that is sent while received data is parsed into one write. Makes answers to many
   * small messages several times cheaper, and delays nothing beyond the current turn of the event loop.
   * @default true
   */
  coalesce?: boolean | undefined
  /** More options of `ws`, passed on unchanged, such as `autoPong`, `maxFragments` and `skipUTF8Validation`. */
  ws?: WsOptions | undefined
}

/** The options of a connection. */
export interface ConnectionOptions {
  readonly maxPayloadBytes: number
  readonly maxBufferedBytes: number
  readonly perMessageDeflate: boolean | PerMessageDeflateOptions
  readonly closeTimeoutMs: number
  readonly coalesce: boolean
  readonly messageBudget: Readonly<MessageBudget> | undefined
  readonly ws: WsOptions
}

/** {@link EndpointOptions}, checked and with defaults. */
export interface Endpoint {
  readonly origins: OriginPolicy
  readonly requireOrigin: boolean
  readonly subprotocols: readonly string[] | ((offered: readonly string[], req: IncomingMessage) => string | undefined)
  readonly requireSubprotocol: boolean
  readonly connection: ConnectionOptions
}

/** The names of {@link EndpointOptions}. */
export const endpointOptionNames: readonly string[] = Object.keys(
  endpointNames satisfies Record<keyof EndpointOptions, unknown>
)

const wsOptionNames = Object.keys(passedWsNames satisfies Record<keyof WsOptions, unknown>)

/** The defaults that the comments above name. */
export const defaultEndpoint: Endpoint = Object.freeze({
  origins: compileOrigins('same-origin'),
  requireOrigin: false,
  subprotocols: Object.freeze([]),
  requireSubprotocol: false,
  connection: Object.freeze({
    maxPayloadBytes: 1_048_576,
    maxBufferedBytes: 16_777_216,
    perMessageDeflate: false,
    closeTimeoutMs: 5_000,
    coalesce: true,
    messageBudget: undefined,
    ws: Object.freeze({})
  })
})

/**
 * Checks the options of an endpoint and adds defaults.
 * @throws TypeError that names the option, what was expected, and what it got
 */
export function resolveEndpoint(options: EndpointOptions, defaults: Endpoint): Endpoint {
  checkNames(options, endpointOptionNames, { belongs: whereItBelongs })
  const { requireOrigin, requireSubprotocol } = options
  checkType('requireOrigin', requireOrigin, 'boolean')
  checkType('requireSubprotocol', requireSubprotocol, 'boolean')
  return {
    origins: options.allowedOrigins === undefined ? defaults.origins : compileOrigins(options.allowedOrigins),
    requireOrigin: requireOrigin ?? defaults.requireOrigin,
    subprotocols: resolveSubprotocols(options.subprotocols) ?? defaults.subprotocols,
    requireSubprotocol: requireSubprotocol ?? defaults.requireSubprotocol,
    connection: resolveConnection(options, defaults.connection)
  }
}

/**
 * Checks the options of an endpoint, for adapters that get them before the first handshake.
 * @param call the function that they were passed to, for the message
 * @throws TypeError that names the call, the option, what was expected, and what it got
 */
export const checkEndpointOptions = (options: EndpointOptions, call: string): void =>
  void checking(call, () => resolveEndpoint(options, defaultEndpoint), checkEndpointOptions)

function resolveSubprotocols(subprotocols: unknown): Endpoint['subprotocols'] | undefined {
  if (subprotocols === undefined) return undefined
  if (typeof subprotocols === 'function') return subprotocols as Endpoint['subprotocols'] & (() => undefined)
  if (!Array.isArray(subprotocols)) {
    const meant = typeof subprotocols === 'string' && isToken(subprotocols) ? `[${show(subprotocols)}]` : undefined
    throw expected('subprotocols', 'a list of names or a function', subprotocols, meant)
  }
  for (const name of subprotocols) {
    if (typeof name !== 'string' || !isToken(name)) {
      throw expected('subprotocols', "names made of token characters (RFC 9110 §5.6.2), such as 'chat.v2'", name)
    }
  }
  if (new Set(subprotocols).size !== subprotocols.length) {
    throw expected('subprotocols', 'unique names', subprotocols.join(', '))
  }
  return [...subprotocols]
}

function resolveConnection(options: EndpointOptions, defaults: ConnectionOptions): ConnectionOptions {
  const { maxPayloadBytes, maxBufferedBytes, perMessageDeflate, closeTimeoutMs, coalesce, messageBudget, ws } = options
  const given = [maxPayloadBytes, maxBufferedBytes, perMessageDeflate, closeTimeoutMs, coalesce, messageBudget, ws]
  if (given.every((value) => value === undefined)) return defaults
  if (maxPayloadBytes !== undefined && !isPayloadLimit(maxPayloadBytes)) {
    throw expected('maxPayloadBytes', 'a whole number of bytes from 1 to 2147483647, or Infinity', maxPayloadBytes)
  }
  checkCount('maxBufferedBytes', maxBufferedBytes, 'bytes')
  checkMilliseconds('closeTimeoutMs', closeTimeoutMs)
  checkType('coalesce', coalesce, 'boolean')
  if (perMessageDeflate !== undefined && typeof perMessageDeflate !== 'boolean' && !isObject(perMessageDeflate)) {
    throw expected('perMessageDeflate', 'true, false, or the options of ws', perMessageDeflate)
  }
  if (ws !== undefined) checkWsOptions(ws)
  return {
    maxPayloadBytes: maxPayloadBytes ?? defaults.maxPayloadBytes,
    maxBufferedBytes: maxBufferedBytes ?? defaults.maxBufferedBytes,
    perMessageDeflate: perMessageDeflate ?? defaults.perMessageDeflate,
    closeTimeoutMs: closeTimeoutMs ?? defaults.closeTimeoutMs,
    coalesce: coalesce ?? defaults.coalesce,
    messageBudget: messageBudget === undefined ? defaults.messageBudget : resolveBudget(messageBudget),
    ws: ws ?? defaults.ws
  }
}

function resolveBudget(budget: unknown): Readonly<MessageBudget> | undefined {
  if (budget === false) return undefined
  if (!isObject(budget)) throw expected('messageBudget', '{ messages, perMs } or false', budget)
  checkNames(budget, ['messages', 'perMs'], { parent: 'messageBudget' })
  const { messages, perMs } = budget as Partial<MessageBudget>
  if (!isPositiveInteger(messages)) {
    throw expected('messageBudget.messages', 'a positive whole number of messages', messages)
  }
  if (!isPositiveInteger(perMs)) {
    throw expected('messageBudget.perMs', 'a positive whole number of milliseconds', perMs)
  }
  return { messages: messages as number, perMs: perMs as number }
}

function checkWsOptions(ws: unknown): void {
  if (!isObject(ws)) throw expected('ws', 'an object with options of ws', ws)
  for (const [name, instead] of Object.entries(ownedWsNames)) {
    if (Object.hasOwn(ws, name)) throw optionError(`ws.${name}: cannot be set here; use ${instead}`)
  }
  checkNames(ws, wsOptionNames, { parent: 'ws' })
}

// `ws` stores this limit in 32 bits.
const isPayloadLimit = (value: number): boolean => value === Infinity || (isPositiveInteger(value) && value < 2 ** 31)
