import { origin, path, subprotocol } from '../contenders/endpoint.ts'
import { clientFrame, opcodes, serverFrame } from './frame.ts'

/** The bytes of one protocol over WebSocket, made once. */
export interface Dialect {
  /** An opening handshake as Chromium sends it. */
  readonly handshake: Buffer
  /** The same from an origin that is not allowed. */
  readonly foreignHandshake: Buffer
  /** What the client says behind the 101 before a connection counts as open. */
  readonly greeting: Buffer | undefined
  /** What the server has said when a connection is open. */
  readonly opened: string
  /** A message as the client sends it. */
  message(text: string): Buffer
  /** The same message as it comes back. */
  echo(text: string): Buffer
}

export type DialectName = 'websocket' | 'socket.io'

function handshake(target: string, from: string): Buffer {
  const lines = [
    `GET ${target} HTTP/1.1`,
    'Host: app.example',
    'Connection: Upgrade',
    'Pragma: no-cache',
    'Cache-Control: no-cache',
    'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
    'Upgrade: websocket',
    `Origin: ${from}`,
    'Sec-WebSocket-Version: 13',
    'Accept-Encoding: gzip, deflate, br, zstd',
    'Accept-Language: en-GB,en;q=0.9',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits',
    `Sec-WebSocket-Protocol: ${subprotocol}`
  ]
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`)
}

const foreignOrigin = 'https://foreign.example'
const socketIoPath = '/socket.io/?EIO=4&transport=websocket'
/** Engine.IO's packet "message" around Socket.IO's packet "event". */
const event = (text: string): Buffer => Buffer.from(`42${JSON.stringify(['echo', text])}`)

export const dialects: Readonly<Record<DialectName, Dialect>> = {
  websocket: {
    handshake: handshake(path, origin),
    foreignHandshake: handshake(path, foreignOrigin),
    greeting: undefined,
    opened: '\r\n\r\n',
    message: (text) => clientFrame(opcodes.text, Buffer.from(text)),
    echo: (text) => serverFrame(opcodes.text, Buffer.from(text))
  },
  'socket.io': {
    handshake: handshake(socketIoPath, origin),
    foreignHandshake: handshake(socketIoPath, foreignOrigin),
    greeting: clientFrame(opcodes.text, Buffer.from('40')),
    opened: '40{',
    message: (text) => clientFrame(opcodes.text, event(text)),
    echo: (text) => serverFrame(opcodes.text, event(text))
  }
}

/** A client's close frame with code 1000. */
export const closeFrame = clientFrame(opcodes.close, Buffer.from([0x03, 0xe8]))
