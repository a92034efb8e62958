import { type Client, openWebSocket } from './client.ts'
import { closeFrame, type Dialect } from './dialect.ts'

export interface Echoes {
  readonly connections: number
  /** Bursts per connection; each waits for its echoes. */
  readonly bursts: number
  /** Messages per burst. */
  readonly inFlight: number
  /** Characters per message. */
  readonly size: number
}

/** The connections for echoes, opened before the clock starts. */
let open: Client[] = []

export async function openForEchoes(port: number, dialect: Dialect, { connections }: Echoes): Promise<void> {
  open = await Promise.all(Array.from({ length: connections }, () => openWebSocket(port, dialect)))
}

/** Sends messages and counts the echoes. The first ones on each connection are compared byte by byte. */
export async function sendEchoes(dialect: Dialect, { bursts, inFlight, size }: Echoes): Promise<void> {
  const text = 'x'.repeat(size)
  const burst = repeat(dialect.message(text), inFlight)
  const expected = repeat(dialect.echo(text), inFlight)
  await Promise.all(open.map((client) => exchange(client, burst, expected, bursts)))
}

export async function closeAfterEchoes(): Promise<void> {
  for (const client of open) client.write(closeFrame)
  await Promise.all(open.map((client) => client.closed))
  open = []
}

const repeat = (bytes: Buffer, times: number): Buffer => Buffer.concat(Array.from({ length: times }, () => bytes))

function exchange(client: Client, burst: Buffer, expected: Buffer, bursts: number): Promise<void> {
  let left = bursts
  let at = 0
  return new Promise((resolve, reject) => {
    client.closed.then(() => reject(new Error('The server closed a connection that sends messages.')), reject)
    client.receive = (chunk) => {
      if (left === bursts && chunk.compare(expected, at, at + chunk.length) !== 0) {
        reject(new Error(`Received something other than an echo: ${JSON.stringify(chunk.toString('latin1', 0, 80))}`))
      }
      at += chunk.length
      if (at < expected.length) return
      at = 0
      if (--left > 0) client.write(burst)
      else resolve()
    }
    client.write(burst)
  })
}
