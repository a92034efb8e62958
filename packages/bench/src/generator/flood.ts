import { type Client, openWebSocket } from './client.ts'
import type { Dialect } from './dialect.ts'
import { FrameCounter } from './frame-counter.ts'

export interface Flood {
  readonly clients: number
  /** Messages of each client. */
  readonly messages: number
}

/** What became of the clients of a flood. */
export interface Aftermath {
  /** Number of clients that the server has closed. */
  readonly closed: number
  /** Number of echoes that all clients together found when they read at last. */
  readonly echoes: number
}

/** Messages per write. */
const atOnce = 5_000

let flooding: Client[] = []

/** Sends many messages of one byte from clients that read nothing after the handshake. */
export async function flood(port: number, dialect: Dialect, { clients, messages }: Flood): Promise<void> {
  flooding = await Promise.all(Array.from({ length: clients }, () => openWebSocket(port, dialect)))
  const message = dialect.message('x')
  const batch = Buffer.alloc(message.length * atOnce, message)
  await Promise.all(flooding.map((client) => pour(client, batch, message.length * messages)))
}

/** Lets the clients read what has waited for them, and resets those that are still open. */
export async function readFlood({ messages }: Flood): Promise<Aftermath> {
  const clients = flooding.splice(0)
  const found = await Promise.all(clients.map((client) => readAll(client, messages)))
  for (const client of clients) client.reset()
  return {
    closed: found.filter(({ isClosed }) => isClosed).length,
    echoes: found.reduce((sum, { echoes }) => sum + echoes, 0)
  }
}

/** Resolves when the system has taken all bytes, or the server has closed the connection. */
function pour(client: Client, batch: Buffer, bytes: number): Promise<void> {
  client.stopReading()
  return new Promise((resolve) => {
    client.closed.then(resolve, () => resolve())
    let left = bytes
    const next = (): void => {
      if (left > 0) {
        const chunk = batch.subarray(0, Math.min(left, batch.length))
        left -= chunk.length
        client.write(chunk, next)
      } else {
        resolve()
      }
    }
    next()
  })
}

/** Resolves when the client has all echoes, or the server has closed the connection. */
function readAll(client: Client, messages: number): Promise<{ isClosed: boolean; echoes: number }> {
  const counter = new FrameCounter()
  return new Promise((resolve) => {
    const closed = (): void => resolve({ isClosed: true, echoes: counter.messages })
    client.closed.then(closed, closed)
    client.receive = (chunk) => {
      counter.take(chunk)
      if (counter.isClosed) closed()
      else if (counter.messages >= messages) resolve({ isClosed: false, echoes: counter.messages })
    }
    client.readOn()
  })
}
