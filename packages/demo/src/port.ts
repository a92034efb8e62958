import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'

/** How many ports are tried. If so many are taken, something else is wrong. */
const attempts = 100

/**
 * The first free port, starting with this one.
 * @returns undefined if none of a hundred is free
 * @throws the system's error if it cannot listen on this host at all
 */
export async function findFreePort(host: string, first: number): Promise<number | undefined> {
  const last = Math.min(first + attempts - 1, 65_535)
  for (let port = first; port <= last; port++) if (await isFree(host, port)) return port
  return undefined
}

/**
 * A port that the system chooses.
 * @throws the system's error if it cannot listen on this host at all
 */
export async function chooseFreePort(host: string): Promise<number> {
  const server = createServer()
  await once(server.listen(0, host), 'listening')
  const { port } = server.address() as AddressInfo
  await once(server.close(), 'close')
  return port
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

/** Whether another port may work: this one is in use, or reserved for privileged programs. */
export const isTaken = (error: unknown): boolean =>
  ['EADDRINUSE', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')

/**
 * Whether another program answers there. If it listens on ::1 only, 127.0.0.1 is still free; on some systems also if it
 * listens on all addresses. A browser that opens localhost would then reach the other program.
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
