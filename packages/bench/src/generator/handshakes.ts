import { Client, openWebSocket } from './client.ts'
import { crowd } from './crowd.ts'
import { closeFrame, type Dialect } from './dialect.ts'

/** How many clients connect, and how many at once. */
export interface Handshakes {
  readonly count: number
  readonly atOnce: number
}

/** Opens WebSockets, each of which is closed with a closing handshake. */
export async function openAndClose(port: number, dialect: Dialect, { count, atOnce }: Handshakes): Promise<void> {
  await crowd(count, atOnce, async () => {
    const client = await openWebSocket(port, dialect)
    client.write(closeFrame)
    await client.closed
  })
}

/** Sends handshakes with an origin that is not allowed, and reads the refusals until their connections end. */
export async function beRefused(port: number, dialect: Dialect, { count, atOnce }: Handshakes): Promise<void> {
  await crowd(count, atOnce, async () => {
    const client = new Client(port)
    client.write(dialect.foreignHandshake)
    const head = await client.received('\r\n\r\n')
    if (!/^HTTP\/1\.1 40[0-9] /.test(head)) throw new Error(`Expected a refusal, got: ${head.split('\r\n')[0]}`)
    await client.closed
  })
}
