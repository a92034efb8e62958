import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { listMembers } from '../http-fields.ts'
import { onConnection } from '../node.ts'

/**
 * Serves a request for a protocol that nobody here speaks as the ordinary request that it is (RFC 9110 §7.8).
 * `bytes` are its `ordinaryHead`, and what came behind its head.
 *
 * Once a server has an `upgrade` listener, Node takes its parser off every connection that asks for any upgrade. So
 * the request's head is put back in front of what the connection holds, without the field `Upgrade`, and Node's parser
 * gets the connection again: it reads head and body as if they had just arrived. Nobody else is told: for the
 * application the connection is not a new one.
 */
export function serveAsOrdinaryRequest(server: Server, rawSocket: Duplex, bytes: Buffer): void {
  rawSocket.unshift(bytes)
  onConnection.call(server, rawSocket)
}

/**
 * The request's head as it came, without `Upgrade` and without that option of `Connection`.
 * @param isLast whether the connection ends behind its answer
 * @returns undefined where a value could end its line: the rebuilt head would hold more than one request
 */
export function ordinaryHead(
  req: Pick<IncomingMessage, 'method' | 'url' | 'httpVersion' | 'rawHeaders'>,
  isLast = false
): string | undefined {
  let head = `${req.method} ${req.url} HTTP/${req.httpVersion}\r\n`
  for (let index = 0; index < req.rawHeaders.length; index += 2) {
    const name = req.rawHeaders[index] as string
    const value = req.rawHeaders[index + 1] as string
    if (/[\r\n\0]/.test(value)) return undefined
    switch (name.toLowerCase()) {
      case 'upgrade':
        break
      case 'connection':
        if (!isLast) head += connectionWithoutUpgrade(name, value)
        break
      default:
        head += `${name}: ${value}\r\n`
    }
  }
  return isLast ? `${head}Connection: close\r\n\r\n` : `${head}\r\n`
}

function connectionWithoutUpgrade(name: string, value: string): string {
  const options = listMembers(value).filter((option) => option.toLowerCase() !== 'upgrade')
  return options.length === 0 ? '' : `${name}: ${options.join(', ')}\r\n`
}
