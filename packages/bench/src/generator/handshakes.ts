import { Client, openWebSocket } from './client.ts'
import { crowd } from './crowd.ts'
import { closeFrame, type Dialect } from './dialect.ts'

/** How many clients connect, and how many of them at the same time. */
export interface Handshakes {
  readonly count: number
  readonly atOnce: number
}

/** Opens WebSockets and closes each one with the closing handshake. */
export async function openAndClose(port: number, dialect: Dialect, { count, atOnce }: Handshakes): Promise<void> {
  await crowd(count, atOnce, async () => {
    const client = await openWebSocket(port, dialect)
    client.write(closeFrame)
    await client.closed
  })
}

/** Sends handshakes from an origin that is not allowed, and reads the refusals to the end of their connections. */
export async function beRefused(port: number, dialect: Dialect, { count, atOnce }: Handshakes): Promise<void> {
  await crowd(count, atOnce, async () => {
    const client = new Client(port)
    client.write(dialect.foreignHandshake)
    const head = await client.received('\r\n\r\n')
    if (!/^HTTP\/1\.1 40[0-9] /.test(head)) throw new Error(`Expected a refusal, got: ${head.split('\r\n')[0]}`)
    await client.closed
  })
}
