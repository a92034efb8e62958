import { fuzz } from '../src/fuzzing.ts'

// Three processes start on a busy machine, and each gets thousands of connections.
jest.setTimeout(60_000)

test.each(['core', 'express', 'fastify'] as const)('security: hostile bytes do no harm to %s', async (adapter) => {
  const faults: string[] = []
  const totals = await fuzz({
    adapter,
    seed: 6455,
    first: 0,
    count: 3_000,
    parallel: 64,
    onVisit: () => {},
    onFault: (report) => void faults.push(report)
  })
  expect(faults).toEqual([])
  expect(totals.connections).toBe(3_000)
  expect(totals.handshakes).toBeGreaterThan(3_000)
  // Both ways out are tried often.
  expect(totals.accepted).toBeGreaterThan(400)
  expect(totals.connections - totals.accepted).toBeGreaterThan(400)
})
