/**
 * The address of the topics, which a page may give relative to itself.
 *
 * @throws TypeError if it is not one. The error does not contain it, since the query may hold a secret
 */
export function addressOf(url: string | URL, scheme: 'ws' | 'http'): URL {
  try {
    const address = new URL(url, globalThis.location?.href)
    address.protocol = address.protocol.replace(/ws|http/, scheme)
    if (/^(ws|http)s?:$/.test(address.protocol)) return address
  } catch {
    // As below.
  }
  throw new TypeError('url: expected one with ws:, wss:, http: or https:, or relative to a page')
}
