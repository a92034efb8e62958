import { once } from 'node:events'
import { connect, createServer } from 'node:net'

/** Ports that are tried. Where so many are taken, something else is wrong. */
const attempts = 100

/**
 * The first free port from here on.
 * @returns undefined where none of the next hundred is free
 * @throws what the system says of a host on which it cannot listen at all
 */
export async function findFreePort(host: string, first: number): Promise<number | undefined> {
  const last = Math.min(first + attempts - 1, 65_535)
  for (let port = first; port <= last; port++) if (await isFree(host, port)) return port
  return undefined
}

async function isFree(host: string, port: number): Promise<boolean> {
  if (!(await canListen(host, port))) return false
  const answered = await Promise.all(['127.0.0.1', '::1'].map((address) => answers(address, port)))
  return !answered.includes(true)
}

async function canListen(host: string, port: number): Promise<boolean> {
  const server = createServer()
  try {
    await once(server.listen(port, host), 'listening')
    await once(server.close(), 'close')
    return true
  } catch (error) {
    if (!isTaken(error)) throw error
    return false
  }
}

/** Whether another port may do better: this one has a program, or is for the system's own. */
export const isTaken = (error: unknown): boolean =>
  ['EADDRINUSE', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')

/**
 * Whether another program answers there. One that listens on ::1 alone leaves 127.0.0.1 to us, and on some systems so does one
 * that listens on all addresses; browsers that are sent to localhost would find the other one.
 */
async function answers(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port })
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
