import { hasRedis } from './across-nodes/redis-process.ts'
import { type Arguments, type Endurance, type Rolling, readArguments, usage } from './arguments.ts'
import { canUseBufferUtil } from './buffer-util.ts'
import { type Conditions, conditionsFor, conditionsOf } from './conditions.ts'
import { keepRecording, type Recording } from './endurance/recording.ts'
import { endure } from './endurance/run.ts'
import { enduranceLibraries, enduranceSummary } from './endurance/section.ts'
import { checkDescriptors, connectionsToEndure, extentOf } from './extent.ts'
import type { Origin } from './kept-file.ts'
import { Lab, type SuiteResult } from './lab.ts'
import { describeMachine, descriptorLimit } from './machine.ts'
import { writePage } from './page.ts'
import { keepResult } from './results.ts'
import { keepRolling, type Recording as RollingRecording } from './rolling/recording.ts'
import { roll, ways } from './rolling/run.ts'
import { rollingConditions, rollingSummary } from './rolling/section.ts'
import { selectEntries } from './selection.ts'
import { printTable } from './terminal.ts'

async function measure(given: Arguments, take: (result: SuiteResult) => void): Promise<void> {
  const { rounds, freshRounds } = given
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
      if (suite.redis && !hasRedis()) {
        process.stderr.write(`${suite.title}: skipped, because redis-server is not installed\n`)
        continue
      }
      const suiteRounds = suite.fresh ? freshRounds : rounds
      const result = await lab.run(suite, entries, suiteRounds, (round) =>
        process.stderr.write(`${suite.title}: ${round <= 0 ? 'warm-up' : `round ${round} of ${suiteRounds}`}\n`)
      )
      take(result)
    }
  } finally {
    await lab.end()
  }
}

/** Runs the suite `endurance`. */
async function measureEndurance({ seconds, connections: wanted }: Endurance): Promise<Recording> {
  const connections = connectionsToEndure(wanted, descriptorLimit())
  process.stderr.write(`Endurance: opening ${connections} connections\n`)
  const recording = await endure(
    { connections, seconds, spreadMs: 10_000 },
    ({ open, rssBytes, worstDelayMs }, second) => {
      const state = `${open} open, ${Math.round(rssBytes / 1_000_000)} MB, ${worstDelayMs.toFixed(1)} ms`
      if (second % 10 === 0) process.stderr.write(`Endurance: second ${second} of ${seconds}, ${state}\n`)
    }
  )
  process.stdout.write(enduranceSummary(recording))
  return recording
}

/** Runs the suite `rolling`. */
function measureRolling({ clients }: Rolling): Promise<RollingRecording> {
  process.stderr.write(`Rolling: ${ways.length} deploys under ${clients} clients\n`)
  return roll({ nodes: 4, clients, perSecond: 50, restMs: 5_000 }, ways, (deploy) => {
    process.stdout.write(rollingSummary(deploy))
  })
}

async function main(argv: readonly string[]): Promise<void> {
  const given = readArguments(argv)
  if (given.help) {
    process.stdout.write(usage)
    return
  }
  const command = ['npm run bench', ...(argv.length === 0 ? [] : ['--', ...argv])].join(' ')
  const started = performance.now()
  const originOf = (conditions: Conditions): Origin => ({ measuredAt: new Date().toISOString(), command, conditions })
  await measure(given, (result) => {
    printTable(result)
    if (given.write) keepResult(result, originOf(conditionsOf(result, given)))
  })
  if (given.endurance !== undefined) {
    const recording = await measureEndurance(given.endurance)
    if (given.write) keepRecording({ recording, ...originOf(conditionsFor(enduranceLibraries)) })
  }
  if (given.rolling !== undefined) {
    const recording = await measureRolling(given.rolling)
    if (given.write) keepRolling({ recording, ...originOf(rollingConditions()) })
  }
  process.stdout.write(`${Object.values(describeMachine()).join('\n')}\n`)
  process.stdout.write(`Took ${Math.round((performance.now() - started) / 1_000)} s.\n`)
  if (!given.write) return
  writePage()
  process.stdout.write('docs/benchmarks.md and its charts are written.\n')
}

main(process.argv.slice(2)).catch((error: Error) => {
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
})
