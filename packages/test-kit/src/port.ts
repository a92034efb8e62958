import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

// Below the ports that a system hands out to whoever asks for any, so nobody gets one meanwhile. Each worker of Jest has
// a thousand of its own.
const count = 1_000
const first = 20_000 + count * (Number(process.env.JEST_WORKER_ID ?? 0) % 12)
let next = randomInt(count)

/** A port on which nothing listens, for a program that has to be told one; another one at each call. */
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
