/** The undocumented parts of Node that core uses, probed by core's own functions. */
import { once } from 'node:events'
import http, { type IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { openRaw } from '@oneport/adapter-testsuite/parts'
// Core does not export these.
import {
  onConnection,
  passOnListener,
  responseClassOf,
  responseOn,
  serverOf,
  writesWaiting
} from '../../core/dist/node.js'

class Own<Request extends IncomingMessage = IncomingMessage> extends ServerResponse<Request> {}

/** An ordinary request, as a server's listener gets it. */
interface Exchange {
  readonly server: http.Server
  readonly socket: Socket & { readonly _handle?: { readonly bytesWritten?: number } | null }
  readonly res: ServerResponse & { readonly _send?: unknown }
}

const privates: readonly (readonly [name: string, isThere: (exchange: Exchange) => boolean])[] = [
  ['Socket#_httpMessage', ({ socket, res }) => responseOn(socket) === res],
  ['Socket#server', ({ socket, server }) => serverOf(socket) === server],
  ['Socket#_writableState.buffered', ({ socket }) => countsWrites(socket)],
  ['Socket#_handle.bytesWritten', ({ socket }) => typeof socket._handle?.bytesWritten === 'number'],
  ['ServerResponse#_send', ({ res }) => typeof res._send === 'function'],
  ['the listener that passes a raw socket on', ({ res }) => passOnListener(res) !== undefined],
  ['the listener connectionListener', () => onConnection.name === 'connectionListener'],
  ['the symbol ServerResponse of a server', ({ server }) => responseClassOf(server) === Own]
]

function countsWrites(socket: Socket): boolean {
  socket.cork()
  socket.write('one')
  socket.write('two')
  const waiting = writesWaiting(socket)
  socket.uncork()
  return waiting === 2
}

/** The names of the parts that this runtime lacks. */
export async function lacks(): Promise<string[]> {
  const server = http.createServer({ ServerResponse: Own }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = await openRaw({ port: (server.address() as AddressInfo).port })
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  const [{ socket }, res] = (await once(server, 'request')) as [IncomingMessage, ServerResponse]
  const missing = privates.filter(([, isThere]) => !isThere({ server, socket, res })).map(([name]) => name)
  client.destroy()
  socket.destroy()
  await once(server.close(), 'close')
  return missing
}
