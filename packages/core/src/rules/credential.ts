import { HandshakeError } from '../errors.ts'
import { checking, checkReason, expected, optionError } from '../options/checks.ts'
import { credentialNames } from '../options/names.ts'
import { show } from '../show.ts'

/** Whose a connection is, and for how long: a connection must not outlive the credential that opened it. */
export interface Credential {
  /**
   * When the credential ends: a `Date`, or milliseconds since 1970. The connection is closed then, and no further
   * message of the client is delivered. The claim `exp` of a JWT is in seconds: `exp * 1000`.
   * @default never
   */
  expiresAt?: Date | number | undefined
  /**
   * Close code of an expired connection, 3000 to 4999. RFC 6455 §7.4.2.
   * @default 4401
   */
  expiryCode?: number | undefined
  /**
   * Whose connection it is: the id of a user or of a session, for `attachment.revoke()` and
   * `attachment.connectionsOf()`.
   * @default none
   */
  key?: string | undefined
}

/** {@link Credential}, checked. */
export interface ResolvedCredential {
  /** Milliseconds since 1970; Infinity where it never ends. */
  readonly expiresAt: number
  readonly expiryCode: number
  readonly key: string | undefined
}

/** The close code for a credential that is no longer good: that of HTTP's 401, where applications choose their own. */
export const unauthorizedCode = 4401

/** A number below this one is a time in seconds: it would lie in 1970. */
const earliest = 31_536_000_000

const names = Object.keys(credentialNames satisfies Record<keyof Credential, unknown>)

/** Takes options apart: those of the endpoint, and the credential; each undefined where there is none. */
export function splitCredential<Options extends Credential>(
  options: Options
): [endpoint: Omit<Options, keyof Credential> | undefined, credential: Credential | undefined] {
  // The same object again where there is no credential in it: an endpoint's options are resolved once by identity.
  if (!names.some((name) => Object.hasOwn(Object(options), name))) return [options, undefined]
  const { expiresAt, expiryCode, key, ...endpoint } = options
  return [Object.keys(endpoint).length === 0 ? undefined : endpoint, { expiresAt, expiryCode, key }]
}

/**
 * Checks a credential and fills in what it leaves out.
 * @throws TypeError that names the field, what was expected and what came
 * @throws HandshakeError HANDSHAKE_EXPIRED where its time is over
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
 * A time as milliseconds since 1970.
 * @throws TypeError for anything else than a time
 */
export function timeOf(expiresAt: Date | number): number {
  const time = expiresAt instanceof Date ? expiresAt.getTime() : expiresAt
  if (typeof time === 'number' && time >= earliest) return time
  const isInSeconds = typeof time === 'number' && time > 0
  throw optionError(
    `expiresAt: expected a Date or milliseconds since 1970; got ${expiresAt instanceof Date ? 'an invalid Date' : show(time)}` +
      (isInSeconds ? '; seconds have to be multiplied by 1000' : '')
  )
}

/**
 * Checks a key that connections are looked up by.
 * @param call the function that was given it, for the message
 * @throws TypeError that names the call, what was expected and what it got
 */
export const checkKey = (key: unknown, call: string): void => checking(call, () => requireKey(key), checkKey)

function requireKey(key: unknown): void {
  if (typeof key === 'string' && key !== '') return
  throw expected('key', 'a non-empty string, such as String(user.id)', key)
}

/** @throws TypeError for a code that an application may not choose (RFC 6455 §7.4.2) */
export function checkApplicationCode(name: string, code: number): void {
  if (Number.isInteger(code) && code >= 3000 && code <= 4999) return
  throw expected(name, 'a close code from 3000 to 4999', code)
}

/**
 * Checks what `revoke` was given.
 * @throws TypeError that names it, what was expected and what it got
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
