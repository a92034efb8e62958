import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

/** A key in the style of RFC 6455 §1.3. Its accept value is `HSmrc0sMlYUkAGmm5OPpG2HaGWk=`. */
const key = 'x3JJHMbDL1EzLkh9GBhXDw=='

/** The bytes of an opening handshake. Undefined leaves a field out; an array sends it once per value. */
export function handshake(path: string, fields: Record<string, string | string[] | undefined> = {}): string {
  const all = {
    Host: 'app.example',
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Key': key,
    'Sec-WebSocket-Version': '13',
    ...fields
  }
  const lines = Object.entries(all).flatMap(([name, value]) => [value ?? []].flat().map((one) => `${name}: ${one}\r\n`))
  return `GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`
}

/** A response as it was on the wire. */
export interface RawResponse {
  /** The status code. */
  readonly status: number
  /** Field names are in lower case, values in order. */
  readonly fields: ReadonlyMap<string, readonly string[]>
  /** Everything after the head, in latin1: body, further responses, or frames. */
  readonly rest: string
  /** All bytes, in latin1. */
  readonly text: string
}

/** Where to send bytes. */
export interface Target {
  /** The port of the server. */
  readonly port: number
  /** Its address. @default '127.0.0.1' */
  readonly host?: string
  /** Whether it uses TLS. @default false */
  readonly tls?: boolean
}

/** Opens a raw connection. The caller closes it. */
export async function openRaw({ port, host = '127.0.0.1', tls = false }: Target): Promise<Socket> {
  const tcp = connect({ port, host })
  await once(tcp, 'connect')
  tcp.on('error', () => {})
  if (!tls) return tcp
  const socket = connectTls({ socket: tcp, rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  socket.on('error', () => {})
  tcpBelow.set(socket, tcp)
  return socket
}

/** The TCP connection of each TLS connection. */
const tcpBelow = new WeakMap<Socket, Socket>()

/** Ends a connection with a TCP reset. */
export async function reset(socket: Socket): Promise<void> {
  const tcp = tcpBelow.get(socket) ?? socket
  tcp.resetAndDestroy()
  if (!tcp.closed) await once(tcp, 'close')
}

/** Sends bytes, and reads until the server ends the connection or `enough` accepts what has arrived. */
export async function sendRaw(
  target: Target,
  bytes: string | Buffer,
  enough: (text: string) => boolean = () => false
): Promise<RawResponse> {
  const socket = await openRaw(target)
  try {
    return parseResponse(await readAll(socket, bytes, enough))
  } finally {
    socket.destroy()
  }
}

function readAll(socket: Socket, bytes: string | Buffer, enough: (text: string) => boolean): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      if (enough(text)) resolve(text)
    })
    socket.on('end', () => resolve(text))
    socket.on('close', () => resolve(text))
    socket.write(bytes)
  })
}

/** Parses the bytes of a response. */
export function parseResponse(text: string): RawResponse {
  const end = text.indexOf('\r\n\r\n')
  const [statusLine = '', ...lines] = text.slice(0, end).split('\r\n')
  const fields = new Map<string, string[]>()
  for (const line of lines) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).toLowerCase()
    fields.set(name, [...(fields.get(name) ?? []), line.slice(colon + 1).trim()])
  }
  return { status: Number(statusLine.split(' ')[1]), fields, rest: text.slice(end + 4), text }
}

/** For `sendRaw`: reads only the head of a response. */
export const headArrived = (text: string): boolean => text.includes('\r\n\r\n')
