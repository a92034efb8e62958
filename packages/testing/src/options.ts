import type { ConnectionOptions } from 'node:tls'
import { pages } from './docs.ts'
import { nearMiss, numberIn } from './near-miss.ts'
import { showName, showValue } from './show.ts'

/** A cookie jar, such as `agent.jar` of supertest and superagent. */
export interface CookieJar {
  /** Returns the cookies for a request. */
  getCookies(access: {
    /** The host of the request. */
    domain: string
    /** The path of the request. */
    path: string
    /** Whether the request uses TLS. */
    secure: boolean
    /** Whether the cookies are for a script, which excludes `HttpOnly` cookies. */
    script: boolean
  }): {
    /** Returns the cookies as a value of the `Cookie` header. */
    toValueString(): string
  }
  /** Stores the cookies that a response sets. */
  setCookies(cookies: string[], domain: string, path: string): unknown
}

/** Options of `connect()` and `expectRefused()`. */
export interface ConnectOptions {
  /**
   * Header fields of the handshake, such as `Cookie`, `Authorization` or `X-Forwarded-For`. `Host` is `127.0.0.1` by
   * default, with the port if there is one, such as `127.0.0.1:54321`.
   * @default {}
   */
  headers?: Record<string, string | string[]> | undefined
  /**
   * The `Origin` header. `'same-origin'` sends the origin of a page of the same server. By default there is none, as
   * with clients that are not browsers.
   * @default none
   */
  origin?: string | undefined
  /**
   * Subprotocols to offer, in order of preference.
   * @default []
   */
  subprotocols?: string[] | undefined
  /**
   * Whether to offer permessage-deflate (RFC 7692).
   * @default false
   */
  perMessageDeflate?: boolean | undefined
  /**
   * Whether to connect over HTTP/2, with an extended CONNECT (RFC 8441). Use `false` to speak HTTP/1.1 to a server of
   * `node:http2` with `allowHTTP1`.
   * @default true for a server of node:http2, otherwise false
   */
  http2?: boolean | undefined
  /**
   * Options of `tls.connect()` for a TLS server or a `wss:` URL: `ca`, `cert` and `key` of a client, `servername`,
   * `rejectUnauthorized`. By default, the certificate of a `wss:` URL is verified, and that of a server in this process
   * is not; `rejectUnauthorized` overrides both.
   * @default {}
   */
  tls?: ConnectionOptions | undefined
  /**
   * Whether to connect over a port of this machine: that of the server if it is listening, or a free one, which is
   * closed after use. URLs, and servers of `node:http2` without TLS, always use the network.
   * @default false
   */
  port?: boolean | undefined
  /**
   * An agent of supertest. The handshake sends its cookies, and the agent stores those that the response sets.
   * @default none
   */
  agent?:
    | {
        /** The cookies of the agent. */
        readonly jar: CookieJar
      }
    | undefined
  /**
   * Maximum time of each wait, in milliseconds: for the response to the handshake, for a message, for the close. The
   * default is below the 5 seconds that Jest and Vitest allow for a test. `Infinity` disables the limit.
   * @default 4_000
   */
  timeoutMs?: number | undefined
}

/** {@link ConnectOptions}, checked, with defaults. */
export interface ResolvedOptions {
  readonly headers: Record<string, string | string[]>
  readonly origin: string | undefined
  readonly subprotocols: string[]
  readonly perMessageDeflate: boolean
  readonly http2: boolean | undefined
  readonly tls: ConnectionOptions
  readonly port: boolean
  readonly agent: { readonly jar: CookieJar } | undefined
  readonly timeoutMs: number
}

const defaults: ResolvedOptions = Object.freeze({
  headers: {},
  origin: undefined,
  subprotocols: [],
  perMessageDeflate: false,
  http2: undefined,
  tls: {},
  port: false,
  agent: undefined,
  timeoutMs: 4_000
})

export const isObject = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isText = (value: unknown): boolean => typeof value === 'string'
const isSwitch = (value: unknown): boolean => typeof value === 'boolean'
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText)
const isJar = (value: unknown): boolean =>
  typeof (value as { jar?: Partial<CookieJar> } | null)?.jar?.getCookies === 'function'

/** For each option what it expects, and whether a value fits. */
export type Rules<Options> = Record<keyof Options, [expected: string, fits: (value: unknown) => boolean]>

const rules: Rules<ConnectOptions> = {
  headers: [
    'an object of strings, or of lists of strings',
    (value) => isObject(value) && Object.values(value as object).every((field) => isText(field) || isTexts(field))
  ],
  origin: ["a string such as 'https://app.example', or 'same-origin'", isText],
  subprotocols: ['a list of strings', isTexts],
  perMessageDeflate: ['true or false', isSwitch],
  http2: ['true or false', isSwitch],
  tls: ['an object with options of tls.connect()', isObject],
  port: ['true or false', isSwitch],
  agent: ['an agent of supertest, with a cookie jar', isJar],
  timeoutMs: ['a number of milliseconds above 0, or Infinity', (value) => typeof value === 'number' && value > 0]
}

/** The options that are given. */
type Given<Options> = { [Name in keyof Options]?: Exclude<Options[Name], undefined> }

/**
 * Checks options and fills in the defaults.
 * @param call the name of the called function, for messages
 * @throws TypeError like `checkOptions`
 */
export const resolveOptions = (options: ConnectOptions, call: string, others = defaults): ResolvedOptions => ({
  ...others,
  ...checkOptions(options, call, rules)
})

/**
 * @returns the options that are given
 * @throws TypeError that names the function and the option, what it expects and what it got
 */
export function checkOptions<Options extends object>(
  options: Options,
  call: string,
  rules: Rules<Options>
): Given<Options> {
  if (!isObject(options)) throw new TypeError(`${call}: options: expected an object; got ${showValue(options)}`)
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  for (const [name, value] of given) {
    const rule = Object.hasOwn(rules, name) ? rules[name as keyof Options] : undefined
    if (rule === undefined) {
      const near = nearMiss(name, Object.keys(rules))
      const hint = near === undefined ? `see ${pages}/testing.md` : `did you mean ${near}?`
      throw new TypeError(`${call}: unknown option '${showName(name)}'; ${hint}`)
    }
    const [expected, fits] = rule
    if (fits(value)) continue
    const near = expected.includes('number') ? numberIn(value) : undefined
    const hint = near === undefined ? '' : `; did you mean ${near}?`
    throw new TypeError(`${call}: ${name}: expected ${expected}; got ${showValue(value)}${hint}`)
  }
  return Object.fromEntries(given) as Given<Options>
}
