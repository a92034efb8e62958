import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Arguments, readArguments, usage } from './arguments.ts'
import { canUseBufferUtil } from './buffer-util.ts'
import { checkDescriptors, extentOf } from './extent.ts'
import { Lab, type SuiteResult } from './lab.ts'
import { describeMachine, describePackage, descriptorLimit } from './machine.ts'
import { chartFile, chartOf, renderPage } from './report.ts'
import { selectEntries } from './selection.ts'
import { printTable } from './terminal.ts'

/** Starting new servers for each round takes most of the time. */
const mostFreshRounds = 3

async function measure(given: Arguments): Promise<SuiteResult[]> {
  const { rounds, quick } = given
  const extent = extentOf(given)
  checkDescriptors(extent, descriptorLimit())
  const lab = new Lab(extent)
  const results: SuiteResult[] = []
  try {
    for (const suite of given.suites) {
      const entries = selectEntries(suite, given.contenders)
      if (entries.length === 0) continue
      if (entries.some(({ bufferUtil }) => bufferUtil) && !canUseBufferUtil()) {
        process.stderr.write(`${suite.title}: skipped, because bufferutil has no compiled code for this machine\n`)
        continue
      }
      const suiteRounds = suite.fresh ? Math.min(rounds, quick ? 1 : mostFreshRounds) : rounds
      const result = await lab.run(suite, entries, suiteRounds, (round) =>
        process.stderr.write(`${suite.title}: ${round <= 0 ? 'warm-up' : `round ${round} of ${suiteRounds}`}\n`)
      )
      printTable(result)
      results.push(result)
    }
  } finally {
    await lab.end()
  }
  return results
}

/** Writes the page and its charts to the docs folder. */
function write(results: readonly SuiteResult[], { rounds, connections }: Arguments, argv: readonly string[]): void {
  const docs = join(__dirname, '../../../docs')
  for (const result of results) writeFileSync(join(docs, 'images', chartFile(result)), chartOf(result))
  const command = ['npm run bench', ...(argv.length === 0 ? [] : ['--', ...argv])].join(' ')
  const page = renderPage(results, { command, rounds, connections, machine: describeMachine(), describePackage })
  writeFileSync(join(docs, 'benchmarks.md'), page)
  process.stdout.write('docs/benchmarks.md and its charts are written.\n')
}

async function main(argv: readonly string[]): Promise<void> {
  const given = readArguments(argv)
  if (given.help) {
    process.stdout.write(usage)
    return
  }
  const started = performance.now()
  const results = await measure(given)
  process.stdout.write(`${describeMachine().join('\n')}\n`)
  process.stdout.write(`Took ${Math.round((performance.now() - started) / 1_000)} s.\n`)
  if (given.write) write(results, given, argv)
}

main(process.argv.slice(2)).catch((error: Error) => {
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
})
