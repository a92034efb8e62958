import { randomInt } from 'node:crypto'
import { readArgumentsOrExplain } from './arguments.ts'
import { fuzz } from './fuzzing.ts'
import { count, Progress } from './progress.ts'
import { divide } from './settings.ts'

async function main(): Promise<void> {
  const given = readArgumentsOrExplain(process.argv.slice(2), { count: 1_000_000, seed: randomInt(2 ** 32) })
  if (given === undefined) return
  const { adapters, seed, parallel } = given
  console.log(`Seed ${seed}`)
  let handshakes = 0
  let faults = 0
  for (const adapter of adapters) {
    let { first } = given
    for (const [setting, share] of divide(Math.ceil(given.count / adapters.length), given.settings)) {
      if (share === 0) continue
      const progress = new Progress(`${adapter} ${setting}`, share)
      const totals = await fuzz({
        adapter,
        setting,
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
      first += share
      handshakes += totals.handshakes
      faults += totals.faults
      console.log(
        `${adapter} ${setting}: ${count(totals.connections)} connections with ${count(totals.handshakes)} handshakes in ` +
          `${Math.round(progress.seconds)} s (${count(Math.round(totals.handshakes / progress.seconds))}/s); ` +
          `${count(totals.accepted)} got 101, ${count(totals.unjudged)} of them for ambiguous bytes; ` +
          `faults: ${totals.faults}`
      )
    }
  }
  console.log(`${count(handshakes)} handshakes; faults: ${faults}`)
  process.exitCode = faults === 0 ? 0 : 1
}

void main()
