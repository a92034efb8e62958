import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Arguments, readArguments, usage } from './arguments.ts'
import { canUseBufferUtil } from './buffer-util.ts'
import { conditionsOf } from './conditions.ts'
import { checkDescriptors, extentOf } from './extent.ts'
import { Lab, type SuiteResult } from './lab.ts'
import { describeMachine, descriptorLimit } from './machine.ts'
import { renderPage } from './report.ts'
import { keepResult, readResults } from './results.ts'
import { chartFile, chartOf } from './section.ts'
import { selectEntries } from './selection.ts'
import { printTable } from './terminal.ts'

/** Starting new servers for each round takes most of the time. */
const mostFreshRounds = 3

async function measure(given: Arguments, take: (result: SuiteResult) => void): Promise<void> {
  const { rounds, quick } = given
  if (given.suites.length === 0) return
  const extent = extentOf(given)
  checkDescriptors(extent, descriptorLimit())
  const lab = new Lab(extent)
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
      take(result)
    }
  } finally {
    await lab.end()
  }
}

/** Writes the page and its charts to the docs folder, from the results of this run and earlier ones. */
function writePage(): void {
  const docs = join(__dirname, '../../../docs')
  const results = readResults()
  for (const result of results) writeFileSync(join(docs, 'images', chartFile(result)), chartOf(result))
  writeFileSync(join(docs, 'benchmarks.md'), renderPage(results))
  process.stdout.write('docs/benchmarks.md and its charts are written.\n')
}

async function main(argv: readonly string[]): Promise<void> {
  const given = readArguments(argv)
  if (given.help) {
    process.stdout.write(usage)
    return
  }
  const command = ['npm run bench', ...(argv.length === 0 ? [] : ['--', ...argv])].join(' ')
  const started = performance.now()
  await measure(given, (result) => {
    printTable(result)
    const measuredAt = new Date().toISOString()
    if (given.write) keepResult(result, { measuredAt, command, conditions: conditionsOf(result, given) })
  })
  process.stdout.write(`${Object.values(describeMachine()).join('\n')}\n`)
  process.stdout.write(`Took ${Math.round((performance.now() - started) / 1_000)} s.\n`)
  if (given.write) writePage()
}

main(process.argv.slice(2)).catch((error: Error) => {
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
})
