import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { connectClient, handshake, type Inbox, openRaw, type RawResponse } from '@oneport/test-kit'
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws'

/** What the tests of one file have opened, for `afterEach`. */
const endings: (() => Promise<unknown> | unknown)[] = []

/** For `afterEach`: closes everything, the newest first. */
export async function stopAll(): Promise<void> {
  for (const end of endings.splice(0).reverse()) await end()
}

export const atEnd = (end: () => Promise<unknown> | unknown): void => void endings.push(end)

/** A server of plain `ws`, and ways to connect to it. */
export interface Bare {
  readonly port: number
  /** Connects a `ws` client. Also returns the server's socket. */
  connect(compressed?: boolean): Promise<{ client: Inbox; socket: WebSocket }>
  /** Connects a client that reads raw bytes. Also returns the server's socket. */
  connectRaw(extensions?: string): Promise<{ raw: Socket; socket: WebSocket }>
}

export async function serveBare(
  options: ServerOptions = {},
  Server: typeof WebSocketServer = WebSocketServer
): Promise<Bare> {
  const http = createServer()
  const server = new Server({ ...options, server: http })
  await once(http.listen(0, '127.0.0.1'), 'listening')
  const { port } = http.address() as AddressInfo
  atEnd(async () => {
    for (const socket of server.clients) socket.terminate()
    await once(http.close(), 'close')
  })
  const accepted = async (): Promise<WebSocket> => {
    const [socket] = (await once(server, 'connection')) as [WebSocket]
    socket.on('error', () => {})
    return socket
  }
  return {
    port,
    async connect(compressed = false) {
      const [client, socket] = await Promise.all([
        connectClient({ port }, '/', [], { perMessageDeflate: compressed }),
        accepted()
      ])
      atEnd(() => client.socket.terminate())
      return { client, socket }
    },
    async connectRaw(extensions) {
      const raw = await openRaw({ port })
      atEnd(() => raw.destroy())
      const accepting = accepted()
      raw.write(handshake('/', { 'Sec-WebSocket-Extensions': extensions }))
      const socket = await accepting
      await readHead(raw)
      return { raw, socket }
    }
  }
}

/** Reads the head of the 101 and nothing after it. */
async function readHead(raw: Socket): Promise<RawResponse['text']> {
  let head = ''
  while (!head.endsWith('\r\n\r\n')) {
    const byte = raw.read(1) as Buffer | null
    if (byte === null) await once(raw, 'readable')
    else head += byte.toString('latin1')
  }
  return head
}

/** Reads exactly `length` bytes. */
export async function readBytes(raw: Socket, length: number): Promise<Buffer> {
  for (;;) {
    const bytes = raw.read(length) as Buffer | null
    if (bytes !== null) return bytes
    if (raw.readableEnded || raw.destroyed) throw new Error(`The connection ended before ${length} bytes arrived.`)
    await Promise.race([once(raw, 'readable'), once(raw, 'end'), once(raw, 'close')])
  }
}

/** Fills a connection whose client does not read, until the system buffers no more. */
export function fill(socket: WebSocket, beyond: number): void {
  const block = Buffer.alloc(65_536)
  while (socket.bufferedAmount <= beyond) socket.send(block)
}
