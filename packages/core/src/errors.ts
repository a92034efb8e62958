import { indented } from './show.ts'

/** What is answered. */
export interface Refusal {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
}

const upgradeToWebSocket = { Upgrade: 'websocket', Connection: 'Upgrade' }

/** Every way in which a handshake is refused, with the status and the header fields of the answer. */
const refusals = {
  /** The method is not GET, or the request is HTTP/1.0 (RFC 6455 §4.2.1 (1)). */
  HANDSHAKE_METHOD: { status: 405, headers: { Allow: 'GET' } },
  /** An ordinary request at a WebSocket endpoint (RFC 9110 §15.5.22). */
  HANDSHAKE_UPGRADE_REQUIRED: { status: 426, headers: upgradeToWebSocket },
  /**
   * `Host` is missing, repeated or malformed (RFC 9112 §3.2, RFC 6455 §4.2.1 (2)). One that is not among `allowedHosts`
   * gets 421 (RFC 9110 §15.5.20).
   */
  HANDSHAKE_HOST: { status: 400, headers: {} },
  /** `Sec-WebSocket-Version` is not exactly `13` (RFC 6455 §4.2.2 (4), §4.4). */
  HANDSHAKE_VERSION: { status: 426, headers: { ...upgradeToWebSocket, 'Sec-WebSocket-Version': '13' } },
  /** `Sec-WebSocket-Key` is missing, repeated or not 16 bytes in base64 (RFC 6455 §4.2.1 (5)). */
  HANDSHAKE_KEY: { status: 400, headers: {} },
  /** The origin is not allowed (RFC 6455 §4.2.2 (4), §10.2). */
  HANDSHAKE_ORIGIN: { status: 403, headers: {} },
  /** The offered subprotocols are malformed, or none fits where one is required (RFC 6455 §4.2.1 (8)). */
  HANDSHAKE_SUBPROTOCOL: { status: 400, headers: {} },
  /** The offered extensions are malformed (RFC 6455 §9.1). */
  HANDSHAKE_EXTENSION: { status: 400, headers: {} },
  /** The credential given at accept has ended already. */
  HANDSHAKE_EXPIRED: { status: 403, headers: {} },
  /** The client went away before the 101 could be written; nobody reads this answer. */
  HANDSHAKE_ABORTED: { status: 400, headers: {} },
  /** The server is draining, or has as many connections or pending handshakes as it takes (RFC 9110 §15.6.4). */
  HANDSHAKE_UNAVAILABLE: { status: 503, headers: { 'Retry-After': '5' } },
  /** The client's address has as many connections as one may have (RFC 6585 §4). */
  HANDSHAKE_TOO_MANY: { status: 429, headers: { 'Retry-After': '5' } },
  /** The application did not answer in `handshakeTimeoutMs`. */
  HANDSHAKE_TIMEOUT: { status: 503, headers: { 'Retry-After': '5' } },
  /** Another listener for `upgrade` on this server has answered the handshake; nobody reads this answer. */
  HANDSHAKE_CONFLICT: { status: 500, headers: {} },
  /** A handshake arrived as an ordinary request: nothing listens for `upgrade` on this server. */
  HANDSHAKE_NOT_ATTACHED: { status: 503, headers: {} }
} as const satisfies Record<string, Refusal>

/** The stable names of all refusals. */
export type HandshakeErrorCode = keyof typeof refusals

/**
 * An `Error` that takes no stack. A refusal is the client's doing: the way through this library to it tells nobody
 * anything, and to walk it costs several times what the rest of the error does. `Error` itself has no other way than
 * `Error.stackTraceLimit`, which belongs to the application and cannot be written under `--frozen-intrinsics`.
 */
const StacklessError = function (this: Error, message: string): void {
  // Not enumerable, as with `Error`.
  Object.defineProperty(this, 'message', hidden(message))
  Object.defineProperty(this, 'stack', hidden(`HandshakeError: ${message}`))
} as unknown as new (
  message: string
) => Error
StacklessError.prototype = Error.prototype

const hidden = (value: string): PropertyDescriptor => ({ configurable: true, enumerable: false, writable: true, value })

/** What every copy of core has its refusals known by. */
const brand = Symbol.for('oneport.HandshakeError@1')

/**
 * Why an opening handshake was refused.
 *
 * Both frameworks' default error handlers render it with its status and header fields; an error handler of the
 * application's own finds everything it needs here. Nothing in it repeats a credential of the request.
 */
export class HandshakeError extends StacklessError {
  /**
   * Those of another copy of this package in the process are instances too. `instanceof` never throws, whatever an
   * application has thrown: a Proxy may throw when it is asked.
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

  override readonly name = 'HandshakeError'
  /** Which rule refused: a stable name to test for. */
  readonly code: HandshakeErrorCode
  /** Status code of the answer. */
  readonly status: number
  /** The same as `status`, under the name that Fastify reads. */
  readonly statusCode: number
  /** Header fields that belong to the answer, such as `Sec-WebSocket-Version` or `Allow`. */
  readonly headers: Readonly<Record<string, string>>
  /** Whether `message` may be shown to the client: true for a fault of the client (4xx). */
  readonly expose: boolean
  /** What the operator needs and the client must not see, for the log: the effective host, the rule that refused. */
  readonly detail: string | undefined

  /**
   * @param code why the handshake is refused
   * @param message what was expected and what came; safe to show to the client
   * @param detail for the log only
   * @param answer status and header fields of this one answer, in place of those of its code
   */
  constructor(code: HandshakeErrorCode, message: string, detail?: string, answer: Partial<Refusal> = refusals[code]) {
    super(message)
    const { status = refusals[code].status, headers = refusals[code].headers } = answer
    this.code = code
    this.status = status
    this.statusCode = status
    this.headers = { ...headers }
    this.expose = status < 500
    this.detail = detail
  }
}

Object.defineProperty(HandshakeError.prototype, brand, { value: true })

/**
 * What `console.error(error)` prints: all that the operator needs. Not a method, which would be in the class's type.
 * https://nodejs.org/api/util.html#custom-inspection-functions-on-objects
 */
Object.defineProperty(HandshakeError.prototype, Symbol.for('nodejs.util.inspect.custom'), {
  value(this: HandshakeError): string {
    return `${this.name} [${this.code}]: ${indented(`${this.message}\n${this.detail ?? ''}`)}`
  }
})
