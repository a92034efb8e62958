import type { Socket } from 'node:net'
import { MemorySocket } from './memory.ts'

/**
 * Puts a connection in memory before one over TCP, so that a network can break both in the same way.
 * @returns the client's end
 */
export function relay(raw: Socket): MemorySocket {
  const { client, server } = MemorySocket.pair()
  server.pipe(raw).pipe(server)
  raw.on('error', (error) => server.fail(error))
  // A closed pipe does not read any more, not even the end.
  raw.on('close', () => server.resume())
  // Only a network that cuts the connection fails this end.
  server.on('error', () => raw.resetAndDestroy())
  server.on('close', () => raw.destroy())
  return client
}
