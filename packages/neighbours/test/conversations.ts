import type { Target } from '@oneport/test-kit'
import { type ClientOptions, WebSocket } from 'ws'
import { within } from './within.ts'

type Message = string | Buffer

/** One message for each length encoding of RFC 6455, up to 1 MiB. */
export const messages: readonly Message[] = [
  '',
  'a',
  'b'.repeat(125),
  'c'.repeat(126),
  Buffer.alloc(65_535, 'd'),
  Buffer.alloc(65_536, 'e'),
  'f'.repeat(262_144),
  Buffer.alloc(1_048_576, 'g')
]

/** A client that keeps messages until they are asked for. */
export class Client {
  readonly socket: WebSocket
  readonly #arrived: Message[] = []
  #take: (() => void) | undefined
  readonly closed: Promise<number>

  constructor(socket: WebSocket) {
    this.socket = socket
    socket.on('message', (data: Buffer, isBinary) => {
      this.#arrived.push(isBinary ? data : data.toString())
      this.#take?.()
    })
    socket.on('error', (error) => {
      this.failure = error
    })
    this.closed = new Promise((resolve) => socket.once('close', resolve))
    clients.push(this)
  }

  /** The error of the connection, if there was one. */
  failure: Error | undefined

  async next(): Promise<Message> {
    if (this.#arrived.length === 0) {
      const arrival = new Promise<void>((resolve) => {
        this.#take = resolve
      })
      const end = this.closed.then((code) => {
        throw new Error(`The connection was closed with ${code}; ${this.failure?.message ?? 'no error'}.`)
      })
      end.catch(() => {})
      await within('a message arrives', Promise.race([arrival, end]))
    }
    return this.#arrived.shift() as Message
  }

  /** Number of messages that have arrived and were not asked for. */
  get left(): number {
    return this.#arrived.length
  }

  /** Sends each message and waits for its echo. */
  async exchange(all: readonly Message[] = messages): Promise<void> {
    for (const message of all) {
      this.socket.send(message)
      const answer = await this.next()
      if (!Buffer.from(answer).equals(Buffer.from(message))) {
        throw new Error(`A message of ${message.length} bytes was echoed as another one, of ${answer.length}.`)
      }
    }
  }

  /** Closes the connection. @returns the close code */
  close(): Promise<number> {
    this.socket.close(1000)
    return within('the connection that the client closes is closed', this.closed)
  }

  /** Asks the other side to close the connection. @returns the close code */
  haveClosed(): Promise<number> {
    this.socket.send('close, please')
    return within('the connection that the server closes is closed', this.closed)
  }
}

const clients: Client[] = []

/** For `afterEach`: ends the clients of a test. */
export function endClients(): void {
  for (const { socket } of clients.splice(0)) socket.terminate()
}

/** Connects. Rejects with the status and the body if the handshake is refused. */
export async function connect(
  { port, tls = false }: Target,
  path: string,
  subprotocols: string[] = [],
  options: ClientOptions = {}
): Promise<Client> {
  const socket = new WebSocket(`${tls ? 'wss' : 'ws'}://127.0.0.1:${port}${path}`, subprotocols, {
    perMessageDeflate: false,
    rejectUnauthorized: false,
    ...options
  })
  const client = new Client(socket)
  const opened = new Promise<void>((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
    socket.once('unexpected-response', (_request, response) => {
      let body = ''
      response.on('data', (chunk) => {
        body += String(chunk)
      })
      response.on('close', () => reject(new Refusal(response.statusCode ?? 0, body)))
    })
  })
  await within(`the handshake at ${path} is answered`, opened)
  return client
}

/** Any answer to a handshake other than 101. */
export class Refusal extends Error {
  readonly status: number
  readonly body: string

  constructor(status: number, body: string) {
    super(`refused with ${status}: ${body}`)
    this.status = status
    this.body = body
  }
}

/** Runs through the life of a connection: greeting, messages of every length, close. */
export async function liveThrough(
  client: Client,
  name: string,
  closing: 'client' | 'server' = 'client'
): Promise<void> {
  expect(await client.next()).toBe(name)
  await client.exchange()
  expect(client.left).toBe(0)
  expect(await (closing === 'client' ? client.close() : client.haveClosed())).toBe(1000)
  expect(client.failure).toBeUndefined()
}
