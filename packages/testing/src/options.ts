import type { ConnectionOptions } from 'node:tls'
import { pages } from './docs.ts'
import { nearMiss, numberIn } from './near-miss.ts'
import { showName, showValue } from './show.ts'

/** The part of a cookie jar that is needed: what `agent.jar` of supertest and superagent is. */
export interface CookieJar {
  /** The cookies for a request. */
  getCookies(access: {
    /** The host of the request. */
    domain: string
    /** Its path. */
    path: string
    /** Whether it is sent over TLS. */
    secure: boolean
    /** Whether a script asks, which does not get all of them. */
    script: boolean
  }): {
    /** The cookies as the field `Cookie` has them. */
    toValueString(): string
  }
  /** Keeps the cookies of a response. */
  setCookies(cookies: string[], domain: string, path: string): unknown
}

/** How to connect. All of it is optional. */
export interface ConnectOptions {
  /**
   * Header fields of the handshake, such as `Cookie`, `Authorization` or `X-Forwarded-For`. `Host` may be among them;
   * without it, it is `127.0.0.1` in memory, and on a port that too: `127.0.0.1:54321`.
   * @default {}
   */
  headers?: Record<string, string | string[]> | undefined
  /**
   * What the handshake says in `Origin`. `'same-origin'` is that of a page of the same server. Without it there is no
   * such field, as with clients that are not browsers.
   * @default none
   */
  origin?: string | undefined
  /**
   * Subprotocols to offer, the preferred one first.
   * @default []
   */
  subprotocols?: string[] | undefined
  /**
   * Whether permessage-deflate is offered (RFC 7692).
   * @default false
   */
  perMessageDeflate?: boolean | undefined
  /**
   * Whether to connect over HTTP/2, with an extended CONNECT (RFC 8441). `false` speaks HTTP/1.1 to a server of
   * `node:http2` that has `allowHTTP1`.
   * @default true for a server of node:http2, otherwise false
   */
  http2?: boolean | undefined
  /**
   * Options of `tls.connect()` for a server of TLS or a `wss:` URL: `ca`, `cert` and `key` of a client, `servername`,
   * `rejectUnauthorized`. The certificate of a server in this process is not verified unless you ask for it with
   * `rejectUnauthorized: true`; that of a URL is unless you say `false`.
   * @default {}
   */
  tls?: ConnectionOptions | undefined
  /**
   * Whether to connect over a real port of this machine, which is closed after use. A server that listens already is
   * reached at its own. URLs, and servers of `node:http2` without TLS, are always reached over the network.
   * @default false
   */
  port?: boolean | undefined
  /**
   * An agent of supertest: the handshake carries its cookies, and the agent gets those that the answer sets.
   * @default none
   */
  agent?:
    | {
        /** The cookies of the agent. */
        readonly jar: CookieJar
      }
    | undefined
  /**
   * Time that each wait may take, in milliseconds: for the answer to the handshake, for a message, for the end. The
   * default is less than the 5 seconds that Jest and Vitest give a test. `Infinity` waits for ever.
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

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value)
const isText = (value: unknown): boolean => typeof value === 'string'
const isSwitch = (value: unknown): boolean => typeof value === 'boolean'
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText)
const isJar = (value: unknown): boolean =>
  typeof (value as { jar?: Partial<CookieJar> } | null)?.jar?.getCookies === 'function'

const rules: Record<keyof ConnectOptions, [expected: string, fits: (value: unknown) => boolean]> = {
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

/**
 * Checks options and fills in what they leave out.
 * @param call the function that was given them, for messages
 * @throws TypeError that names the call, the option, what was expected and what it got
 */
export function resolveOptions(options: ConnectOptions, call: string): ResolvedOptions {
  if (!isObject(options)) throw new TypeError(`${call}: options: expected an object; got ${showValue(options)}`)
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  for (const [name, value] of given) {
    const rule = Object.hasOwn(rules, name) ? rules[name as keyof ConnectOptions] : undefined
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
  return { ...defaults, ...Object.fromEntries(given) }
}
