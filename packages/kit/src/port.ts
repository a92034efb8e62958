import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

// Below the range from which systems hand out free ports, so no other program gets one in the meantime. Each Jest
// worker has a thousand of its own.
const count = 1_000
const first = 20_000 + count * (Number(process.env.JEST_WORKER_ID ?? 0) % 12)
let next = randomInt(count)

/** A port on which nothing listens, for programs that need a port number up front. Each call returns another one. */
export async function freePort(): Promise<number> {
  const port = first + next
  next = (next + 1) % count
  return (await isFree(port)) ? port : freePort()
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    await once(server.listen(port), 'listening')
  } catch {
    return false
  }
  await once(server.close(), 'close')
  return true
}
