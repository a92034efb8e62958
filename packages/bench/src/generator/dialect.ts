import { clientFrame, opcodes, serverFrame } from '@oneport/adapter-testsuite/parts'
import { origin, path, subprotocol } from '../contenders/endpoint.ts'

/** The bytes of one protocol over WebSocket, prepared once. */
export interface Dialect {
  /** An opening handshake as Chromium sends it. */
  readonly handshake: Buffer
  /** The same with an origin that is not allowed. */
  readonly foreignHandshake: Buffer
  /** What the client sends after the 101 to open the connection. */
  readonly greeting: Buffer | undefined
  /** What the server sends to open the connection. */
  readonly opened: string
  /** A message from the client. */
  message(text: string): Buffer
  /** The echo of the same message. */
  echo(text: string): Buffer
}

export type DialectName = 'websocket' | 'socket.io' | 'oneport.topics'

function handshake(target: string, from: string, protocol = subprotocol): Buffer {
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
    `Sec-WebSocket-Protocol: ${protocol}`
  ]
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`)
}

/**
 * An arbitrary mask, because zeros would save the server its work. RFC 6455 §5.3 requires an unpredictable mask, but
 * that would cost the generator time without changing the result.
 */
const mask = [0x37, 0xfa, 0x21, 0x3d]
const masked = (opcode: number, payload: Buffer): Buffer => clientFrame(opcode, payload, { mask })

const foreignOrigin = 'https://foreign.example'
const topicsProtocol = 'oneport.topics.1'
const socketIoPath = '/socket.io/?EIO=4&transport=websocket'
/** Engine.IO's packet "message" around Socket.IO's packet "event". */
const event = (text: string): Buffer => Buffer.from(`42${JSON.stringify(['echo', text])}`)

export const dialects: Readonly<Record<DialectName, Dialect>> = {
  websocket: {
    handshake: handshake(path, origin),
    foreignHandshake: handshake(path, foreignOrigin),
    greeting: undefined,
    opened: '\r\n\r\n',
    message: (text) => masked(opcodes.text, Buffer.from(text)),
    echo: (text) => serverFrame(opcodes.text, text)
  },
  'socket.io': {
    handshake: handshake(socketIoPath, origin),
    foreignHandshake: handshake(socketIoPath, foreignOrigin),
    greeting: masked(opcodes.text, Buffer.from('40')),
    opened: '40{',
    message: (text) => masked(opcodes.text, event(text)),
    echo: (text) => serverFrame(opcodes.text, event(text))
  },
  // The protocol leaves messages of a kind that it does not know to the application.
  'oneport.topics': {
    handshake: handshake(path, origin, topicsProtocol),
    foreignHandshake: handshake(path, foreignOrigin, topicsProtocol),
    greeting: masked(opcodes.text, Buffer.from('subscribe - news')),
    opened: 'subscribed ',
    message: (text) => masked(opcodes.text, Buffer.from(`broadcast ${text}`)),
    echo: (text) => serverFrame(opcodes.text, text)
  }
}

/** A client's close frame with code 1000. */
export const closeFrame = masked(opcodes.close, Buffer.from([0x03, 0xe8]))
