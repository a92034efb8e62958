import { indented } from './show.ts'

/** The answer to a refused handshake. */
export interface Refusal {
  /** Its status code. */
  readonly status: number
  /** Its header fields. */
  readonly headers: Readonly<Record<string, string>>
}

const upgradeToWebSocket = { Upgrade: 'websocket', Connection: 'Upgrade' }

/** All refusals, with the status and the header fields of the answer. */
const refusals = {
  /** The method is not GET, or the request is HTTP/1.0 (RFC 6455 §4.2.1 (1)). */
  HANDSHAKE_METHOD: { status: 405, headers: { Allow: 'GET' } },
  /** An ordinary request to a WebSocket endpoint (RFC 9110 §15.5.22). */
  HANDSHAKE_UPGRADE_REQUIRED: { status: 426, headers: upgradeToWebSocket },
  /**
   * `Host` is missing, repeated or malformed (RFC 9112 §3.2, RFC 6455 §4.2.1 (2)). If it is not in `allowedHosts`, the
   * status is 421 (RFC 9110 §15.5.20).
   */
  HANDSHAKE_HOST: { status: 400, headers: {} },
  /** `Sec-WebSocket-Version` is not exactly `13` (RFC 6455 §4.2.2 (4), §4.4). */
  HANDSHAKE_VERSION: { status: 426, headers: { ...upgradeToWebSocket, 'Sec-WebSocket-Version': '13' } },
  /** `Sec-WebSocket-Key` is missing, repeated or not 16 bytes in base64 (RFC 6455 §4.2.1 (5)). */
  HANDSHAKE_KEY: { status: 400, headers: {} },
  /** The origin is not allowed (RFC 6455 §4.2.2 (4), §10.2). */
  HANDSHAKE_ORIGIN: { status: 403, headers: {} },
  /** The offered subprotocols are malformed, or one is required and none matches (RFC 6455 §4.2.1 (8)). */
  HANDSHAKE_SUBPROTOCOL: { status: 400, headers: {} },
  /** The offered extensions are malformed (RFC 6455 §9.1). */
  HANDSHAKE_EXTENSION: { status: 400, headers: {} },
  /** The credential has already expired. */
  HANDSHAKE_EXPIRED: { status: 403, headers: {} },
  /** The client has disconnected before the 101 was written. It does not get this answer. */
  HANDSHAKE_ABORTED: { status: 400, headers: {} },
  /** The server is draining, or has reached its limit of connections or pending handshakes (RFC 9110 §15.6.4). */
  HANDSHAKE_UNAVAILABLE: { status: 503, headers: { 'Retry-After': '5' } },
  /** The client's address has reached its limit of connections or pending handshakes (RFC 6585 §4). */
  HANDSHAKE_TOO_MANY: { status: 429, headers: { 'Retry-After': '5' } },
  /** The application has not answered within `handshakeTimeoutMs`. */
  HANDSHAKE_TIMEOUT: { status: 503, headers: { 'Retry-After': '5' } },
  /** Another `upgrade` listener on this server has answered the handshake. The client does not get this answer. */
  HANDSHAKE_CONFLICT: { status: 500, headers: {} },
  /** The handshake arrived as an ordinary request: Oneport does not listen for `upgrade` on this server. */
  HANDSHAKE_NOT_ATTACHED: { status: 503, headers: {} }
} as const satisfies Record<string, Refusal>

/** The codes of all refusals. They are stable. */
export type HandshakeErrorCode = keyof typeof refusals

/**
 * An `Error` without a stack. The client causes refusals, so a stack would show only the inside of this library, and
 * capturing it costs several times as much as the rest of the error. The only other way to avoid it is
 * `Error.stackTraceLimit`, which belongs to the application and is read-only under `--frozen-intrinsics`.
 */
const StacklessError = function (this: Error, message: string): void {
  // Not enumerable, as in `Error`.
  Object.defineProperty(this, 'message', hidden(message))
  Object.defineProperty(this, 'stack', hidden(`HandshakeError: ${message}`))
} as unknown as new (
  message: string
) => Error
StacklessError.prototype = Error.prototype

const hidden = (value: unknown): PropertyDescriptor => ({
  configurable: true,
  enumerable: false,
  writable: true,
  value
})

/** The detail of a refusal, or a function that returns it. */
const lazyDetail = Symbol('oneport.detail')

/** Marks the refusals of every copy of core. */
const brand = Symbol.for('oneport.HandshakeError@1')

/**
 * Why an opening handshake was refused.
 *
 * The default error handlers of Express and Fastify use its status and header fields. Your own error handler can read
 * them from here. No property contains a credential of the request.
 */
export class HandshakeError extends StacklessError {
  /**
   * Also matches the errors of other copies of this package in the process. Never throws, although a Proxy that an
   * application has thrown may.
   */
  static override [Symbol.hasInstance](value: unknown): boolean {
    try {
      // biome-ignore-start lint/complexity/noThisInStatic: a subclass has instances of its own
      if (this === HandshakeError) return typeof value === 'object' && value !== null && brand in value
      return Function.prototype[Symbol.hasInstance].call(this, value)
      // biome-ignore-end lint/complexity/noThisInStatic: as above
    } catch {
      return false
    }
  }

  /** For logs. To recognize a refusal, use `instanceof HandshakeError`, which knows those of other copies too. */
  override readonly name = 'HandshakeError'
  /** Which rule refused the handshake. Stable; compare this and not the message. */
  readonly code: HandshakeErrorCode
  /** The HTTP status of the answer. */
  readonly status: number
  /** Same as `status`, under the name that Fastify reads. */
  readonly statusCode: number
  /** Header fields to send with the answer, such as `Sec-WebSocket-Version` or `Allow`. */
  readonly headers: Readonly<Record<string, string>>
  /** Whether `message` is meant for the client: true if the status is below 500. */
  readonly expose: boolean
  /**
   * More for the operator, such as the effective host and the rule. For the log only; do not send it to the client.
   * `JSON.stringify` leaves it out.
   */
  declare readonly detail: string | undefined

  /**
   * Creates a refusal, to throw it from code that refuses handshakes itself.
   * @param code why the handshake is refused
   * @param message what was expected and what the server got; must be safe to show to the client
   * @param detail for the log only; a function is called when the property is first read, which may be never
   * @param answer a status and header fields that replace those of the code
   */
  constructor(
    code: HandshakeErrorCode,
    message: string,
    detail?: string | (() => string),
    answer: Partial<Refusal> = refusals[code]
  ) {
    super(message)
    const { status = refusals[code].status, headers = refusals[code].headers } = answer
    this.code = code
    this.status = status
    this.statusCode = status
    this.headers = { ...headers }
    this.expose = status < 500
    if (detail !== undefined) Object.defineProperty(this, lazyDetail, hidden(detail))
  }
}

/**
 * Not a getter in the class: with private state, the types of two copies of this package would not fit together.
 * Enumerable, so that loggers which list the properties of an error find it.
 */
Object.defineProperty(HandshakeError.prototype, 'detail', {
  configurable: true,
  enumerable: true,
  get(this: { [lazyDetail]?: string | (() => string) }): string | undefined {
    const detail = this[lazyDetail]
    if (typeof detail !== 'function') return detail
    const text = detail()
    this[lazyDetail] = text
    return text
  }
})

Object.defineProperty(HandshakeError.prototype, brand, { value: true })

/**
 * Prints all that the operator needs in `console.error(error)`. Not a method, so that it is not in the type of the
 * class. https://nodejs.org/api/util.html#custom-inspection-functions-on-objects
 */
Object.defineProperty(HandshakeError.prototype, Symbol.for('nodejs.util.inspect.custom'), {
  value(this: HandshakeError): string {
    return `${this.name} [${this.code}]: ${indented(`${this.message}\n${this.detail ?? ''}`)}`
  }
})
