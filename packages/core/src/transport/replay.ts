import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { listMembers } from '../http-fields.ts'
import { onConnection } from '../node.ts'

/**
 * Serves a request for an unsupported protocol as an ordinary request (RFC 9110 §7.8).
 *
 * Once a server has an `upgrade` listener, Node detaches its parser from every connection that asks for an upgrade. So
 * this puts the head of the request, without `Upgrade`, back in front of the connection's data and gives the connection
 * to Node's parser again, which reads head and body as if they had just arrived. It emits no `connection` event: for
 * the application, the connection is not new.
 *
 * @param bytes the `ordinaryHead` of the request, then what was received after its head
 */
export function serveAsOrdinaryRequest(server: Server, rawSocket: Duplex, bytes: Buffer): void {
  rawSocket.unshift(bytes)
  onConnection.call(server, rawSocket)
}

/**
 * The head of a request as received, without `Upgrade` and without that option of `Connection`.
 * @param isLast whether to close the connection after the response
 * @returns undefined if a value contains a line break: the rebuilt head could hold more than one request
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
