import { connect, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { type Exchange, type Head, showField } from './exchange.ts'
import { nicknameCookie } from './nickname.ts'

/** What is wrong with each handshake: the fields that differ from a valid one. Undefined omits a field. */
const faults = {
  origin: { Origin: 'https://evil.example' },
  version: { 'Sec-WebSocket-Version': '12' },
  login: { Cookie: undefined }
} satisfies Record<string, Record<string, string | undefined>>

/** A reason to be refused. */
export type Fault = keyof typeof faults

export const isFault = (value: string): value is Fault => Object.hasOwn(faults, value)

/** How long the answer may take, in milliseconds. */
const timeoutMs = 2_000

/**
 * Sends a faulty handshake to the server that received a request, over a new connection. The server has to do it, because
 * a page can neither choose `Origin` or the version nor see the status of a refusal.
 * @param host the `Host` of the request
 * @param socket the socket of the request
 */
export async function provoke(fault: Fault, host: string, socket: Socket): Promise<Exchange> {
  const isTls = (socket as Partial<TLSSocket>).encrypted === true
  const fields = Object.entries({
    Host: host,
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    Origin: `${isTls ? 'https' : 'http'}://${host}`,
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Protocol': 'oneport.topics.1',
    Cookie: `${nicknameCookie}=probe`,
    ...faults[fault]
  }).filter((field): field is [string, string] => field[1] !== undefined)
  const line = 'GET /chat/lobby HTTP/1.1'
  const bytes = [line, ...fields.map(([name, value]) => `${name}: ${value}`), '', ''].join('\r\n')
  const { localAddress: address = '127.0.0.1', localPort: port = 80 } = socket
  // The server connects to itself, so it need not verify its own certificate.
  const own = isTls ? connectTls({ host: address, port, rejectUnauthorized: false }) : connect({ host: address, port })
  const response = await send(own, bytes)
  return {
    request: { line, fields: fields.map(([name, value]) => showField(name, value)) },
    response: parse(response)
  }
}

/** Sends bytes, and reads until the server closes the connection, as it does after a refusal. */
function send(socket: Socket, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    socket.write(bytes)
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error('The server did not answer in time.')))
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.on('end', () => resolve(Buffer.concat(chunks).toString()))
    socket.on('error', reject)
  })
}

function parse(response: string): Head {
  const [head = '', ...rest] = response.split('\r\n\r\n')
  const [line = '', ...lines] = head.split('\r\n')
  const fields = lines.map((field) => {
    const colon = field.indexOf(':')
    return showField(field.slice(0, colon), field.slice(colon + 1).trim())
  })
  return { line, fields, body: rest.join('\r\n\r\n') }
}
