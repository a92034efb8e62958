import { isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'

const wildcards = ['0.0.0.0', '::']
const local = [...wildcards, '127.0.0.1', '::1', 'localhost']

/** Where browsers reach the server. */
export interface Urls {
  /** On this machine; if the server listens on one address, that is the only URL. */
  readonly first: string
  /** From other machines, if it listens on all addresses. */
  readonly network: readonly string[]
}

export function urlsOf(scheme: 'http' | 'https', host: string, port: number): Urls {
  const at = (name: string): string => `${scheme}://${isIPv6(name) ? `[${name}]` : name}:${port}`
  return {
    first: at(local.includes(host) ? 'localhost' : host),
    network: wildcards.includes(host) ? networkAddresses(host).map(at) : []
  }
}

/** This machine's addresses on its networks, without link-local ones of IPv6: they need a zone, which URLs cannot have. */
function networkAddresses(host: string): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses = []) => addresses)
    .filter(({ internal, family, scopeid }) => !internal && (family === 'IPv4' || (host === '::' && scopeid === 0)))
    .map(({ address }) => address)
}
