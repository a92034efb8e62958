import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { redisBackplane } from '../../src/index.ts'

// Prints how many bytes of memory messages take in this process while Redis does not acknowledge them. Run with
// --expose-gc.

/** Far above the heap's normal growth. */
const maxPendingBytes = 67_108_864

/** The most messages to publish if the bound does not apply earlier. They would take 300 MB. */
const most = 100_000

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

async function residentBytes(): Promise<number> {
  for (let turn = 0; turn < 5; turn++) {
    globalThis.gc?.()
    await nextTurn()
  }
  return process.memoryUsage().rss
}

const clients = {
  'node-redis': (port: number) => createClient({ url: `redis://127.0.0.1:${port}` }),
  ioredis: (port: number) => new Redis(port, { lazyConnect: true })
}

const said = (what: string): Promise<void> =>
  new Promise((resolve) => {
    process.on('message', (message) => message === what && resolve())
  })

async function measure(kind: keyof typeof clients, port: number): Promise<void> {
  const backplane = redisBackplane({ client: clients[kind](port), maxPendingBytes, timeoutMs: 1_000_000 })
  while (backplane.health() !== 'up') await nextTurn()
  for (let count = 0; count < 5_000; count++) await backplane.publish('a', Buffer.alloc(10))
  const stopped = said('stopped')
  process.send?.('ready')
  await stopped
  const before = await residentBytes()
  let isFull = false
  const onFull = (): void => {
    isFull = true
  }
  for (let count = 0; count < most && !isFull; count++) {
    backplane.publish('a', Buffer.alloc(10)).catch(onFull)
    if (count % 16 === 0) await nextTurn()
  }
  process.send?.({ grownBytes: (await residentBytes()) - before, maxPendingBytes }, () => process.exit())
}

void measure(process.argv[2] as keyof typeof clients, Number(process.argv[3]))
