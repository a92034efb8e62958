import { EventEmitter, once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A network in front of a server, which cuts each connection after some time, whatever happens on it, or falls silent. */
export interface Line {
  readonly port: number
  /** Resolves when it has cut so many connections. */
  hasCut(count: number): Promise<void>
  /** Passes on nothing, and tells neither end. */
  silence(): void
  /** Passes on what new connections send. One from before is reset when its client sends something, or has meanwhile. */
  restore(): void
}

const open = new Set<() => Promise<void>>()
afterEach(async () => {
  for (const close of open) await close()
  open.clear()
})

/**
 * @param target the port of the server
 * @param cutMs after what time connections are cut
 */
export async function openLine(target: number, cutMs?: number): Promise<Line> {
  const pairs = new Set<readonly [Socket, Socket]>()
  let isSilent = false
  let cuts = 0
  const cutting = new EventEmitter()
  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1')
    const pair = [near, far] as const
    pairs.add(pair)
    for (const [socket, other] of [pair, [far, near] as const]) {
      socket.setNoDelay()
      socket.on('error', () => {})
      socket.on('close', () => {
        pairs.delete(pair)
        other.destroy()
      })
      if (!isSilent) socket.pipe(other)
    }
    if (cutMs === undefined) return
    const timer = setTimeout(() => {
      cuts++
      cutting.emit('cut')
      near.resetAndDestroy()
    }, cutMs)
    near.on('close', () => clearTimeout(timer))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  open.add(async () => {
    const closed = once(server.close(), 'close')
    for (const [near] of pairs) near.destroy()
    await closed
  })
  return {
    port: (server.address() as AddressInfo).port,
    async hasCut(count) {
      while (cuts < count) await once(cutting, 'cut')
    },
    silence() {
      isSilent = true
      for (const [near, far] of pairs) {
        near.unpipe(far).pause()
        far.unpipe(near).pause()
      }
    },
    restore() {
      isSilent = false
      for (const [near] of pairs) near.once('data', () => near.resetAndDestroy()).resume()
    }
  }
}
