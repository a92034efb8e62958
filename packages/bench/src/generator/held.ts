import { clientFrame, opcodes } from '@oneport/adapter-testsuite/parts'
import { type Client, openWebSocket } from './client.ts'
import { crowd } from './crowd.ts'
import { closeFrame, type Dialect } from './dialect.ts'
import { headLength, payloadLength } from './frame-counter.ts'
import type { Handshakes } from './handshakes.ts'

/** The connections that are kept open. */
export const held: Client[] = []

/** Opens WebSockets and keeps them open. They answer pings and close frames. */
export async function openAndStay(port: number, dialect: Dialect, { count, atOnce }: Handshakes): Promise<void> {
  await crowd(count, atOnce, async () => {
    const client = await openWebSocket(port, dialect)
    client.receive = (chunk) => answer(client, chunk)
    held.push(client)
  })
}

/** Resets all held connections. */
export async function drop(): Promise<void> {
  const clients = held.splice(0)
  for (const client of clients) client.reset()
  await Promise.all(clients.map((client) => client.closed))
}

/** When held connections have ended. */
export interface Ends {
  /** Number of connections that ended in each slice of time, from the first end on. */
  readonly ends: readonly number[]
}

/** Waits until the server has closed all held connections. */
export async function beClosed({ sliceMs }: { readonly sliceMs: number }): Promise<Ends> {
  const clients = held.splice(0)
  const times: number[] = []
  const note = (): number => times.push(performance.now())
  await Promise.all(clients.map((client) => client.closed.then(note, note)))
  return { ends: inSlices(times, sliceMs) }
}

/** Counts sorted times, in milliseconds, in slices that start with the first one. */
export function inSlices(times: readonly number[], sliceMs: number): number[] {
  const slices: number[] = []
  for (const time of times) {
    const slice = Math.floor((time - (times[0] as number)) / sliceMs)
    while (slices.length <= slice) slices.push(0)
    slices[slice] = (slices[slice] as number) + 1
  }
  return slices
}

/** Answers pings and close frames. Frames arrive whole, because they are small. */
function answer(client: Client, chunk: Buffer): void {
  for (let rest = chunk; rest.length > 0; ) {
    const start = headLength(rest)
    const end = start + payloadLength(rest)
    if (rest[0] === (0x80 | opcodes.ping)) client.write(clientFrame(opcodes.pong, rest.subarray(start, end)))
    if (rest[0] === (0x80 | opcodes.close)) client.write(closeFrame)
    rest = rest.subarray(end)
  }
}
