import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { argumentsFor, frameworks, monitors, visit } from './visit.ts'

// Monitors make starting a process even slower on a busy machine.
jest.setTimeout(60_000)

describe.each(monitors)('Under %s, an ES module', (monitor) => {
  test.each(frameworks)('with %s works, and the same is recorded as of CommonJS', async (framework) => {
    const { seen, exitCode, spans } = await visit(monitor, framework, 'mjs')
    expect({ seen, exitCode }).toEqual({ seen: [200, ['welcome', 'echo first', { code: 4000 }], 429], exitCode: 0 })
    expect(spans.length).toBeGreaterThan(0)
    expect(spans).toEqual((await visit(monitor, framework)).spans)
  })
})

test.each(monitors)('the page says how to start %s', (monitor) => {
  const page = readFileSync(join(__dirname, '../../../docs/apm.md'), 'utf8')
  const cells = (['cjs', 'mjs'] as const).map((modules) =>
    argumentsFor(monitor, modules).join(' ').replace(`./monitors/${monitor}.cjs`, './instrument.cjs')
  )
  expect(page).toContain(`| ${cells.map((cell) => `\`${cell}\``).join(' | ')} |`)
})
