import { readArgumentsOrExplain } from './arguments.ts'
import { count, Progress } from './progress.ts'
import { returning, type Sample, Soaking, warmUp } from './soaking.ts'

const columns = ['when', 'heap', ...returning] as const

const cell = (sample: Sample, column: (typeof columns)[number]): string =>
  column === 'heap' ? `${(sample.heap / 1_048_576).toFixed(2)} MiB` : String(sample[column])

const printRow = (cells: readonly string[]): void => console.log(cells.map((one) => one.padStart(12)).join(''))

async function main(): Promise<void> {
  const given = readArgumentsOrExplain(process.argv.slice(2), { count: 200_000, seed: 0 })
  if (given === undefined) return
  const share = Math.ceil(given.count / given.adapters.length)
  let faults = 0
  for (const adapter of given.adapters) {
    const progress = new Progress(adapter, warmUp + share)
    const soaking = await Soaking.run(adapter, share, given.parallel, () => progress.step())
    progress.end()
    const seconds = Math.round(progress.seconds)
    console.log(`${adapter}: ${count(share)} connections after ${count(warmUp)} to warm up, in ${seconds} s`)
    printRow(columns)
    for (const sample of soaking.samples) printRow(columns.map((column) => cell(sample, column)))
    for (const fault of soaking.faults) console.log(`${adapter}: ${fault}`)
    faults += soaking.faults.length
  }
  console.log(faults === 0 ? 'Everything is back to where it was.' : `Faults: ${faults}`)
  process.exitCode = faults === 0 ? 0 : 1
}

void main()
