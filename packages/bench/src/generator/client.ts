import { connect, type Socket } from 'node:net'
import type { Dialect } from './dialect.ts'

/**
 * Source addresses, used in turn: each has only as many ports as the kernel gives to clients, and a port rests after
 * use.
 */
const addresses =
  process.platform === 'linux' ? Array.from({ length: 8 }, (_, index) => `127.0.0.${index + 1}`) : ['127.0.0.1']
let turn = 0

// Shared by all clients: a chunk is handled before the next one is read.
const readBuffer = Buffer.allocUnsafe(65_536)

/** A minimal TCP connection for the generator: bytes out, chunks in, and nothing kept. */
export class Client {
  /** Gets each chunk, which is valid only during the call. */
  receive: (chunk: Buffer) => void = ignore
  readonly #socket: Socket
  readonly #closed: Promise<void>

  constructor(port: number) {
    turn = (turn + 1) % addresses.length
    this.#socket = connect({
      port,
      host: '127.0.0.1',
      localAddress: addresses[turn] as string,
      noDelay: true,
      onread: {
        buffer: readBuffer,
        callback: (length) => {
          this.receive(readBuffer.subarray(0, length))
          return true
        }
      }
    })
    this.#closed = new Promise((resolve, reject) => {
      this.#socket.once('error', reject)
      this.#socket.once('close', resolve)
    })
    // The error is reported to those who wait for the close.
    this.#closed.catch(ignore)
  }

  /** @param taken called when the system has taken all bytes, or the connection has broken */
  write(bytes: Buffer, taken?: () => void): void {
    this.#socket.write(bytes, taken)
  }

  /** Leaves what arrives with the system until `readOn()`. Until then only a write notices that the connection broke. */
  stopReading(): void {
    this.#socket.pause()
  }

  readOn(): void {
    this.#socket.resume()
  }

  /** Resolves when the connection has ended. Rejects if it broke. */
  get closed(): Promise<void> {
    return this.#closed
  }

  /** Resolves when the received bytes contain a text. Rejects if the connection ends first. */
  received(text: string): Promise<string> {
    let all = ''
    const found = new Promise<string>((resolve) => {
      this.receive = (chunk) => {
        all += chunk.toString('latin1')
        if (!all.includes(text)) return
        this.receive = ignore
        resolve(all)
      }
    })
    const ended = this.#closed.then(() => {
      throw new Error(`The server closed the connection after: ${JSON.stringify(all.slice(0, 200))}`)
    })
    return Promise.race([found, ended])
  }

  /** Resets the connection, which leaves no port waiting. */
  reset(): void {
    this.#socket.resetAndDestroy()
  }
}

function ignore(): void {}

/** Opens a WebSocket. */
export async function openWebSocket(port: number, { handshake, greeting, opened }: Dialect): Promise<Client> {
  const client = new Client(port)
  client.write(handshake)
  const head = await client.received('\r\n\r\n')
  if (!head.startsWith('HTTP/1.1 101 ')) throw new Error(`Expected a 101, got: ${head.split('\r\n')[0]}`)
  if (greeting !== undefined) {
    client.write(greeting)
    await client.received(opened)
  }
  return client
}
