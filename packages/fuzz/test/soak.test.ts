import { exchange } from '../src/exchange.ts'
import type { Adapter } from '../src/server.ts'
import { ServerProcess } from '../src/server-process.ts'
import { kindOf } from '../src/soak-visits.ts'
import { growth, type Sample } from '../src/soaking.ts'
import { flood } from '../src/unread.ts'

jest.setTimeout(60_000)

async function withServer(adapter: Adapter, use: (server: ServerProcess) => Promise<void>): Promise<void> {
  const server = await ServerProcess.start(adapter)
  try {
    await use(server)
  } finally {
    await server.stop()
  }
}

// Concurrent, because messages without a listener wait for seconds.
test.concurrent.each(['core', 'express', 'fastify', 'koa'] as const)(
  'on %s each kind of connection ends as its name says',
  (adapter) =>
    withServer(adapter, async (server) => {
      const kinds = [...new Set(Array.from({ length: 1_000 }, (_, index) => kindOf(index)))]
      const wrong = await Promise.all(
        kinds.map(async ({ name, visit, status: expected }) => {
          const { status, fault } = await exchange(server.port, visit)
          return fault === undefined && (expected === 'any' || status === expected)
            ? []
            : [`${name}: ${fault ?? status}`]
        })
      )
      expect(wrong.flat()).toEqual([])
      expect(await server.settle()).toMatchObject({ open: 0, pending: 0, connections: 0, timers: 0 })
      expect(server.output).toBe('')
    })
)

test('security: clients that do not read take no more memory than docs/limits.md says', async () => {
  await withServer('core', async (server) => expect(await flood(server)).toEqual([]))
})

describe('growth', () => {
  const start: Sample = {
    when: 'start',
    open: 0,
    pending: 0,
    connections: 0,
    resources: 3,
    timers: 0,
    listeners: 15,
    heap: 10_000_000,
    accepted: 5,
    closed: 5,
    served: 5,
    unfinished: 0,
    sockets: 0,
    descriptors: 20,
    timeouts: 0,
    overwhelmed: 0,
    external: 0
  }

  test('is empty if everything is as before', () => {
    expect(growth([start, { ...start, heap: 10_900_000, accepted: 9, closed: 9, served: 9 }])).toEqual([])
  })

  test.each<[end: Partial<Sample>, fault: string]>([
    [{ timers: 1 }, 'timers: 0, then 1'],
    [{ listeners: 16 }, 'listeners: 15, then 16'],
    [{ heap: 12_000_000 }, 'the heap has grown by 2 000 000 bytes'],
    [{ descriptors: 21 }, 'descriptors: 20, then 21'],
    [{ unfinished: 1 }, 'unfinished: 0, then 1'],
    [{ served: 6 }, '5 connections were accepted, and handlers got 6'],
    [{ accepted: 6, served: 6 }, '6 connections were accepted and 5 closed']
  ])('is reported as %j', (end, fault) => {
    expect(growth([start, { ...start, ...end }])).toEqual([fault])
  })
})
