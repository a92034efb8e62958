import { clientFrame, opcodes } from '@oneport/adapter-testsuite/parts'
import { type Client, openWebSocket } from './client.ts'
import { crowd } from './crowd.ts'
import type { Dialect } from './dialect.ts'
import type { Handshakes } from './handshakes.ts'

/** The connections that are kept open. */
export const held: Client[] = []

/** Opens WebSockets and keeps them open. They answer pings. */
export async function openAndStay(port: number, dialect: Dialect, { count, atOnce }: Handshakes): Promise<void> {
  await crowd(count, atOnce, async () => {
    const client = await openWebSocket(port, dialect)
    client.receive = (chunk) => answerPings(client, chunk)
    held.push(client)
  })
}

/** Resets all held connections. */
export async function drop(): Promise<void> {
  const clients = held.splice(0)
  for (const client of clients) client.reset()
  await Promise.all(clients.map((client) => client.closed))
}

/** Pings are small and arrive in one piece. */
function answerPings(client: Client, chunk: Buffer): void {
  for (let start = 0; start < chunk.length; ) {
    const length = chunk[start + 1] as number
    const end = start + 2 + length
    if (chunk[start] === (0x80 | opcodes.ping)) client.write(clientFrame(opcodes.pong, chunk.subarray(start + 2, end)))
    start = end
  }
}
