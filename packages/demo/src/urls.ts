import { isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'

const wildcards = ['0.0.0.0', '::']
const local = [...wildcards, '127.0.0.1', '::1', 'localhost']

/** Where a browser finds a server. */
export interface Urls {
  /** On this machine, and for a server that listens on one address the only one. */
  readonly first: string
  /** From other machines, where it listens on all addresses. */
  readonly network: readonly string[]
}

export function urlsOf(scheme: 'http' | 'https', host: string, port: number): Urls {
  const at = (name: string): string => `${scheme}://${isIPv6(name) ? `[${name}]` : name}:${port}`
  return {
    first: at(local.includes(host) ? 'localhost' : host),
    network: wildcards.includes(host) ? networkAddresses(host).map(at) : []
  }
}

/** The addresses of this machine in its networks. Those of IPv6 that hold on one link only need a zone, which no URL takes. */
function networkAddresses(host: string): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses = []) => addresses)
    .filter(({ internal, family, scopeid }) => !internal && (family === 'IPv4' || (host === '::' && scopeid === 0)))
    .map(({ address }) => address)
}
