import { fuzz } from '../src/fuzzing.ts'
import { divide, settingNames } from '../src/settings.ts'

// Many processes start on a busy machine, and together they get thousands of connections.
jest.setTimeout(120_000)

// Some clients wait for seconds, and so does the check of what a server keeps.
test.concurrent.each(['core', 'express', 'fastify', 'koa'] as const)(
  'security: hostile clients do no harm to %s',
  async (adapter) => {
    const faults: string[] = []
    const totals = await Promise.all(
      divide(2_000, settingNames).map(([setting, count], index) =>
        fuzz({
          adapter,
          setting,
          seed: 6455,
          first: 10_000 * index,
          count,
          parallel: 16,
          onVisit: () => {},
          onFault: (report) => void faults.push(report)
        })
      )
    )
    expect(faults).toEqual([])
    const sum = (name: 'connections' | 'accepted'): number => totals.reduce((whole, part) => whole + part[name], 0)
    expect(sum('connections')).toBe(2_000)
    // Both outcomes occur often.
    expect(sum('accepted')).toBeGreaterThan(400)
    expect(sum('connections') - sum('accepted')).toBeGreaterThan(400)
  }
)
