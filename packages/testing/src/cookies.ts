import type { IncomingHttpHeaders } from 'node:http'
import type { CookieJar, ResolvedOptions } from './options.ts'

/** Scope of the cookies of a handshake. Like supertest, it ignores the port. */
const accessFor = ({ hostname, pathname, protocol }: URL) => ({
  domain: hostname,
  path: pathname,
  secure: protocol === 'wss:',
  script: false
})

/** The header fields to send: those of the options, and the cookies of the agent. */
export function fieldsWithCookies(url: URL, { headers, agent }: ResolvedOptions): ResolvedOptions['headers'] {
  const fromJar = agent?.jar.getCookies(accessFor(url)).toValueString() ?? ''
  if (fromJar === '') return headers
  const given = Object.entries(headers).filter(([name]) => name.toLowerCase() === 'cookie')
  const others = Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'cookie')
  return { ...Object.fromEntries(others), Cookie: [...given.flatMap(([, value]) => value), fromJar].join('; ') }
}

/** Stores the cookies that a response sets, whether it is a 101 or a refusal. */
export function keepCookies(jar: CookieJar | undefined, url: URL, { 'set-cookie': set }: IncomingHttpHeaders): void {
  if (set === undefined || jar === undefined) return
  const { domain, path } = accessFor(url)
  jar.setCookies(set, domain, path)
}
