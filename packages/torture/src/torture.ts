import { randomInt } from 'node:crypto'
import { type Arguments, readArguments, settingsOf } from './arguments.ts'
import { count, failureOf, summaryOf } from './report.ts'
import { type Result, run } from './run.ts'
import { missingBrowser, missingProxies } from './stage/stage.ts'

/**
 * How long a request may take, in milliseconds, whatever is broken: topics and backplanes give up after some seconds, and
 * say so. Only if the connection is lost, there may be no answer.
 */
const answerMs = 30_000

/** @returns undefined if the arguments are wrong */
function readArgumentsOrExplain(): Arguments | undefined {
  try {
    return readArguments(process.argv.slice(2), randomInt(2 ** 32))
  } catch (error) {
    console.error((error as Error).message)
    return undefined
  }
}

async function main(): Promise<void> {
  const given = readArgumentsOrExplain()
  if (given === undefined) {
    process.exitCode = 2
    return
  }
  const stop = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort())
  for (const message of missingProxies()) console.log(`Without a proxy: ${message}`)
  const missing = given.pages > 0 ? missingBrowser() : undefined
  if (missing !== undefined) console.log(`Without pages: ${missing}`)
  const totals = { runs: 0, failed: 0, published: 0, deliveries: 0, reconnects: 0, gaps: 0 }
  for (let index = 0; index < given.runs; index++) {
    const seed = (given.seed + index) % 2 ** 32
    const settings = { ...given, ...settingsOf(given, seed), seed, pages: missing === undefined ? given.pages : 0 }
    const result = await run({
      ...settings,
      proxies: true,
      transports: ['websocket', 'stream', 'poll'],
      chaos: true,
      fault: undefined,
      pageFault: undefined,
      answerMs,
      signal: stop.signal,
      onProgress: (done) =>
        show(`Seed ${seed}, ${settings.store}: ${count(done)} of ${count(given.messages)} messages `)
    })
    show('')
    add(totals, result)
    console.log(`Seed ${seed}, ${settings.store}: ${summaryOf(result)}`)
    if (result.contradictions.length > 0) console.log(failureOf(result, settings))
  }
  const { runs, failed, published, deliveries, reconnects, gaps } = totals
  console.log(
    `${count(runs)} runs, ${count(failed)} of them failed: ${count(published)} messages, ${count(deliveries)} deliveries, ` +
      `${count(reconnects)} reconnects, ${count(gaps)} gaps`
  )
  process.exitCode = failed === 0 ? 0 : 1
}

function add(
  totals: Record<'runs' | 'failed' | 'published' | 'deliveries' | 'reconnects' | 'gaps', number>,
  result: Result
): void {
  totals.runs++
  if (result.contradictions.length > 0) totals.failed++
  for (const name of ['published', 'deliveries', 'reconnects', 'gaps'] as const) totals[name] += result[name]
}

/** Shows a line in a terminal, in place of the one before. */
function show(line: string): void {
  if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${line}`)
}

main().catch((error: Error) => {
  // Everything that was started has ended.
  if (error.name === 'AbortError') process.exitCode = 130
  else throw error
})
