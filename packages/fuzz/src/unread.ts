import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { handshakeDraft, write } from './draft.ts'
import { maxUnreadBytes } from './endpoints.ts'
import { smallFrames } from './floods.ts'
import { count } from './progress.ts'
import type { ServerProcess } from './server-process.ts'

/** Simultaneous clients that do not read. */
const clients = 24

/** Messages per client; the endpoint echoes each a hundred times. */
const messages = 200

/** Number of measurements. The server closes these clients within a few seconds. */
const mostMeasurements = 200

/**
 * Clients that send small messages and read no echoes, at the endpoint that buffers `maxUnreadBytes` for each.
 * @returns what breaks the promise of docs/limits.md: within a factor of two, that is the memory they use
 */
export async function flood(server: ServerProcess): Promise<string[]> {
  const before = await server.settle()
  const promised = clients * maxUnreadBytes
  const sockets = await Promise.all(Array.from({ length: clients }, (_, index) => join(server.port, index)))
  let held = 0
  for (let times = 0; times < mostMeasurements; times++) {
    const { heap, external, connections, overwhelmed } = await server.measure()
    held = Math.max(held, heap + external - before.heap - before.external)
    if (connections === 0 && overwhelmed - before.overwhelmed === clients) break
  }
  for (const socket of sockets) socket.destroy()
  const after = await server.settle()
  const ended = after.overwhelmed - before.overwhelmed
  const faults: string[] = []
  if (ended !== clients) faults.push(`${ended} of ${clients} clients that do not read are closed for it`)
  if (held > 2 * promised)
    faults.push(`clients that do not read hold ${count(held)} bytes; the limit promises ${count(promised)}`)
  // With less, nothing was tested.
  if (held < promised / 4) faults.push(`clients that do not read hold only ${count(held)} bytes`)
  return faults
}

/** Sends a flood of one kind and reads nothing back. */
async function join(port: number, index: number): Promise<Socket> {
  const extensions: [string, string][] = index % 4 === 3 ? [['Sec-WebSocket-Extensions', 'permessage-deflate']] : []
  const socket = connect({ port, host: '127.0.0.1' }).on('error', () => {})
  socket.pause()
  await once(socket, 'connect')
  socket.write(
    write(handshakeDraft('/unread', extensions)) + (smallFrames[index % 2] as string).repeat(messages),
    'latin1'
  )
  return socket
}
