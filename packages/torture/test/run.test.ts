import { describeWith, redisProgram } from '@oneport/test-kit'
import { type RunOptions, run } from '../src/run.ts'

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
  chaos: true,
  fault: undefined,
  onProgress: () => {}
}

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

describeWith(redisProgram, 'clients of two nodes lose nothing silently', () => {
  test('while connections are reset, and nodes and Redis are killed', async () => {
    const { contradictions, ...totals } = await run({ ...options, seed: 11, nodes: 2, store: 'redis' })
    expect(contradictions).toEqual([])
    expect(totals.published).toBe(options.messages)
  })
})

describe('finds what a node does wrong:', () => {
  const planted = { chaos: false, proxies: false, clients: 5, messages: 200, transports: ['websocket'] } as const

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

  test.concurrent('nothing, if it does nothing wrong', async () => {
    expect(await faultsOf(planted)).toEqual([])
  })
})
