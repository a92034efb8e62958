import { randomInt } from 'node:crypto'
import { readArgumentsOrExplain } from './arguments.ts'
import { fuzz } from './fuzzing.ts'
import { count, Progress } from './progress.ts'

async function main(): Promise<void> {
  const given = readArgumentsOrExplain(process.argv.slice(2), { count: 1_000_000, seed: randomInt(2 ** 32) })
  if (given === undefined) return
  const { adapters, seed, first, parallel } = given
  const share = Math.ceil(given.count / adapters.length)
  console.log(`Seed ${seed}`)
  let handshakes = 0
  let faults = 0
  for (const adapter of adapters) {
    const progress = new Progress(adapter, share)
    const totals = await fuzz({
      adapter,
      seed,
      first,
      count: share,
      parallel,
      onVisit: () => progress.step(),
      onFault: (report) => {
        progress.end()
        console.log(report)
      }
    })
    progress.end()
    handshakes += totals.handshakes
    faults += totals.faults
    console.log(
      `${adapter}: ${count(totals.connections)} connections with ${count(totals.handshakes)} handshakes in ` +
        `${Math.round(progress.seconds)} s (${count(Math.round(totals.handshakes / progress.seconds))}/s); ` +
        `${count(totals.accepted)} got 101, ${count(totals.unjudged)} of them to bytes that can be read in two ways; ` +
        `faults: ${totals.faults}`
    )
  }
  console.log(`${count(handshakes)} handshakes; faults: ${faults}`)
  process.exitCode = faults === 0 ? 0 : 1
}

void main()
