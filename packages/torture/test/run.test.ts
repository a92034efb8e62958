import { chromium, describeWith, postgresProgram, redisProgram } from '@oneport/test-kit'
import { type RunOptions, run } from '../src/run.ts'
import type { StoreName } from '../src/store.ts'

jest.setTimeout(120_000)

const options: RunOptions = {
  seed: 1,
  clients: 20,
  topics: 5,
  messages: 1_000,
  nodes: 1,
  rate: 500,
  store: 'memory',
  proxies: true,
  transports: ['websocket', 'stream', 'poll'],
  client: 'test',
  pages: 0,
  chaos: true,
  fault: undefined,
  pageFault: undefined,
  answerMs: 30_000,
  onProgress: () => {}
}

/** How long a client stays away from a topic, at most, in milliseconds. */
const longestPart = 3_000

const faultsOf = async (given: Partial<RunOptions>): Promise<string[]> =>
  (await run({ ...options, ...given })).contradictions.flatMap(({ what, lines }) => [what, ...lines])

// Concurrent, because runs wait for most of their time.
describe('clients lose nothing silently', () => {
  test.concurrent('while connections are reset, the node is killed and proxies are reloaded', async () => {
    const { contradictions, ...totals } = await run(options)
    expect(contradictions).toEqual([])
    expect(totals.published).toBe(options.messages)
    expect(totals.reconnects).toBeGreaterThan(0)
    expect(totals.gaps).toBeGreaterThan(0)
  })
})

test.concurrent('clients of @oneport/client lose nothing silently', async () => {
  const { contradictions, ...totals } = await run({ ...options, seed: 3, client: 'library' })
  expect(contradictions).toEqual([])
  expect(totals.published).toBe(options.messages)
  expect(totals.reconnects).toBeGreaterThan(0)
})

test.concurrent.each(['test', 'library'] as const)('an interrupted run of %s clients ends', async (client) => {
  const stop = new AbortController()
  const onProgress = (done: number): void => {
    if (done > options.messages / 2) stop.abort()
  }
  const interrupted = run({ ...options, seed: 4, client, signal: stop.signal, onProgress })
  await expect(interrupted).rejects.toMatchObject({ name: 'AbortError' })
  // What a client still had to do would fail only now.
  await new Promise((resolve) => setTimeout(resolve, longestPart))
})

describeWith(chromium, 'pages of a browser lose nothing silently', () => {
  test.concurrent('while they are stopped, cut off and loaded again, two of them as tabs that share a connection', async () => {
    const { contradictions, ...totals } = await run({ ...options, seed: 5, client: 'library', clients: 10, pages: 3 })
    expect(contradictions).toEqual([])
    expect(totals.published + totals.abandoned).toBe(options.messages)
    expect(totals.reconnects).toBeGreaterThan(0)
  })
})

/** Long enough for the store to break. */
const shared = { ...options, clients: 10, messages: 2_000, rate: 300, nodes: 2, proxies: false } as const

async function endure(store: StoreName, seed: number): Promise<void> {
  const { contradictions, ...totals } = await run({ ...shared, seed, store })
  expect(contradictions).toEqual([])
  expect(totals.published).toBe(shared.messages)
}

describeWith(redisProgram, 'clients of two nodes lose nothing silently', () => {
  test.concurrent('while Redis is killed, loses data, and is cut off', () => endure('redis', 22))

  test.concurrent('while the masters of a Redis Cluster are replaced', () => endure('redis-cluster', 19))
})

describeWith(postgresProgram, 'clients of two nodes lose nothing silently', () => {
  test.concurrent('while PostgreSQL is killed, hangs, and is cut off', () => endure('postgres', 21))
})

describe('clients of two workers of node:cluster lose nothing silently', () => {
  test.concurrent('while the workers and their primary are killed', () => endure('cluster', 19))
})

const planted = { chaos: false, proxies: false, clients: 5, messages: 200, transports: ['websocket'] } as const

describe('finds what a node does wrong:', () => {
  test.concurrent('a dropped message', async () => {
    expect(await faultsOf({ ...planted, fault: 'drop' })).toContainEqual(expect.stringContaining('without a gap'))
  })

  test.concurrent('a doubled message', async () => {
    expect(await faultsOf({ ...planted, fault: 'double' })).toContainEqual(expect.stringMatching(/message \d+ again/))
  })

  test.concurrent('swapped messages', async () => {
    const faults = await faultsOf({ ...planted, fault: 'swap' })
    expect(faults).toContainEqual(expect.stringContaining('without a gap'))
    expect(faults).toContainEqual(expect.stringMatching(/message \d+ again/))
  })

  test.concurrent('a message that is never acknowledged', async () => {
    const faults = await faultsOf({ ...planted, fault: 'mute', answerMs: 2_000 })
    expect(faults).toContainEqual(expect.stringMatching(/no answer to publish client-\d+-\d+ in 2000 ms/))
  })

  test.concurrent('a message that is never acknowledged to a client of the library', async () => {
    const faults = await faultsOf({ ...planted, client: 'library', fault: 'mute', answerMs: 2_000 })
    expect(faults).toContainEqual(expect.stringMatching(/no answer to publish client-\d+-\d+ in 2000 ms/))
  })

  test.concurrent('nothing, if it does nothing wrong', async () => {
    expect(await faultsOf(planted)).toEqual([])
  })
})

describeWith(chromium, 'finds what a page tells wrong:', () => {
  const pages = { ...planted, client: 'library', pages: 2 } as const

  test.concurrent('a dropped message', async () => {
    const faults = await faultsOf({ ...pages, pageFault: 'drop' })
    expect(faults).toContainEqual(expect.stringMatching(/^client-[01] in .*without a gap/))
  })

  test.concurrent('a doubled message', async () => {
    const faults = await faultsOf({ ...pages, pageFault: 'double' })
    expect(faults).toContainEqual(expect.stringMatching(/^client-[01] in .*message \d+ again/))
  })

  test.concurrent('swapped messages', async () => {
    const faults = await faultsOf({ ...pages, pageFault: 'swap' })
    expect(faults).toContainEqual(expect.stringMatching(/^client-[01] in .*without a gap/))
    expect(faults).toContainEqual(expect.stringMatching(/^client-[01] in .*message \d+ again/))
  })

  test.concurrent('a message that is never acknowledged', async () => {
    const faults = await faultsOf({ ...pages, pageFault: 'mute', answerMs: 2_000 })
    expect(faults).toContainEqual(expect.stringMatching(/no answer to publish client-[01]-\d+ in 2000 ms/))
  })

  test.concurrent('nothing, if it tells nothing wrong', async () => {
    expect(await faultsOf(pages)).toEqual([])
  })
})
