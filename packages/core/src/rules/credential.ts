import { HandshakeError } from '../errors.ts'
import { checking, checkReason, expected, optionError } from '../options/checks.ts'
import { credentialNames } from '../options/names.ts'
import { show } from '../show.ts'

/** Whose connection it is, and for how long: a connection must not outlive the credential that opened it. */
export interface Credential {
  /**
   * When the credential expires: a `Date`, or milliseconds since 1970. Then the connection is closed, and no more
   * messages are delivered. The `exp` claim of a JWT is in seconds: pass `exp * 1000`.
   * @default never
   */
  expiresAt?: Date | number | undefined
  /**
   * The close code when the credential expires, 3000 to 4999. RFC 6455 §7.4.2.
   * @default 4401
   */
  expiryCode?: number | undefined
  /**
   * Whose connection it is: the ID of a user or a session, for `attachment.revoke()` and `attachment.connectionsOf()`.
   * @default none
   */
  key?: string | undefined
}

/** {@link Credential}, checked and with defaults. */
export interface ResolvedCredential {
  /** Milliseconds since 1970; Infinity if it never expires. */
  readonly expiresAt: number
  readonly expiryCode: number
  readonly key: string | undefined
}

/** The default close code for an invalid credential: 401 of HTTP, in the range for applications. */
export const unauthorizedCode = 4401

/** A smaller number is probably in seconds: in milliseconds, it would be a time in 1970. */
const earliest = 31_536_000_000

const names = Object.keys(credentialNames satisfies Record<keyof Credential, unknown>)

/** Splits options into those of the endpoint and the credential. Each is undefined if there is none. */
export function splitCredential<Options extends Credential>(
  options: Options
): [endpoint: Omit<Options, keyof Credential> | undefined, credential: Credential | undefined] {
  // Without a credential, return the same object: the options of an endpoint are resolved once, by identity.
  if (!names.some((name) => Object.hasOwn(Object(options), name))) return [options, undefined]
  const { expiresAt, expiryCode, key, ...endpoint } = options
  return [Object.keys(endpoint).length === 0 ? undefined : endpoint, { expiresAt, expiryCode, key }]
}

/**
 * Checks a credential and adds defaults.
 * @throws TypeError that names the option, what was expected, and what it got
 * @throws HandshakeError HANDSHAKE_EXPIRED if it has already expired
 */
export function resolveCredential(credential: Credential): ResolvedCredential {
  const { expiresAt, expiryCode = unauthorizedCode, key } = credential
  checkApplicationCode('expiryCode', expiryCode)
  if (key !== undefined) requireKey(key)
  const time = expiresAt === undefined ? Infinity : timeOf(expiresAt)
  if (time <= Date.now()) throw new HandshakeError('HANDSHAKE_EXPIRED', 'The credential of this handshake has expired.')
  return { expiresAt: time, expiryCode, key }
}

/**
 * Converts a time to milliseconds since 1970.
 * @throws TypeError if it is not a time
 */
export function timeOf(expiresAt: Date | number): number {
  const time = expiresAt instanceof Date ? expiresAt.getTime() : expiresAt
  if (typeof time === 'number' && time >= earliest) return time
  const isInSeconds = typeof time === 'number' && time > 0
  throw optionError(
    `expiresAt: expected a Date or milliseconds since 1970; got ${expiresAt instanceof Date ? 'an invalid Date' : show(time)}` +
      (isInSeconds ? '; multiply seconds by 1000' : '')
  )
}

/**
 * Checks the key of a connection.
 * @param call the function that it was passed to, for the message
 * @throws TypeError that names the call, what was expected, and what it got
 */
export const checkKey = (key: unknown, call: string): void => checking(call, () => requireKey(key), checkKey)

function requireKey(key: unknown): void {
  if (typeof key === 'string' && key !== '') return
  throw expected('key', 'a non-empty string, such as String(user.id)', key)
}

/** @throws TypeError if applications may not use the close code (RFC 6455 §7.4.2) */
export function checkApplicationCode(name: string, code: number): void {
  if (Number.isInteger(code) && code >= 3000 && code <= 4999) return
  throw expected(name, 'a close code from 3000 to 4999', code)
}

/**
 * Checks the arguments of `revoke`.
 * @throws TypeError that names the argument, what was expected, and what it got
 */
export const checkRevocation = (key: string, code?: number, reason?: string): void =>
  checking(
    'revoke',
    () => {
      requireKey(key)
      if (code !== undefined) checkApplicationCode('code', code)
      if (reason !== undefined) checkReason(reason)
    },
    checkRevocation
  )
