import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { readPage, tableRows } from '../../pages/src/markdown.ts'
import type { Installed } from './installed.ts'

const program = join(__dirname, '../dist/main.js')
export const page = readPage('docs/runtimes.md')

interface Outcome {
  readonly code: number | undefined
  readonly lines: readonly string[]
  readonly errors: string
}

/** Runs the contract on a runtime. */
function run({ path = '', args }: Installed): Promise<Outcome> {
  const { NODE_OPTIONS: _ours, ...env } = process.env
  return new Promise((resolve) => {
    const child = execFile(path, [...args, program], { env, timeout: 100_000 }, (_error, stdout, errors) => {
      resolve({ code: child.exitCode ?? undefined, lines: stdout.trim().split('\n'), errors })
    })
  })
}

/** The cells of the page's tables, which all have the same head. */
const [head = [], ...rows] = tableRows('docs/runtimes.md')
const table = rows.filter(([name]) => name !== head[0])

/** What the page says about a runtime, by row. */
function told(name: string): Map<string, string> {
  const column = head.indexOf(name)
  return new Map(table.map((cells) => [cells[0] as string, cells[column] as string]))
}

/** Runs the contract on a runtime, and compares the results with docs/runtimes.md. */
export function describeRuntime(runtime: Installed): void {
  const here = runtime.path !== undefined || process.env.CI === 'true'
  if (!here)
    process.stderr.write(`Skipped: ${runtime.name}. npm has no build for ${process.platform} on ${process.arch}\n`)
  const testHere = here ? test : test.skip

  testHere(
    `${runtime.name} passes the contract, except for what docs/runtimes.md says`,
    async () => {
      const { code, lines, errors } = await run(runtime)
      const unexpected = lines.filter((line) => !/^(?:ok|differs|row) /.test(line))
      expect([unexpected, code]).toEqual([[], 0])
      expect(errors.split('\n').filter((line) => /error/i.test(line))).toEqual([])
      const rows = lines.filter((line) => line.startsWith('row ')).map((line) => line.slice(4).split(' | '))
      expect(new Map(rows as [string, string][])).toEqual(told(runtime.name))
    },
    110_000
  )
}
