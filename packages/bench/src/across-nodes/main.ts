import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { describeMachine } from '../machine.ts'
import { type Extent, type Measured, measure, type Spread, type Step } from './measure.ts'

const usage = `Measures topics across several processes with one Redis, which it starts itself.

  npm run bench:redis                       4 processes with 1000 clients each, under 2 minutes
  npm run bench:redis -- --quick            the same with fewer clients and shorter steps
  npm run bench:redis -- --json FILE        also writes the results to this file
  npm run bench:redis -- --help             prints this help
`

const options = { quick: { type: 'boolean' }, json: { type: 'string' }, help: { type: 'boolean' } } as const

const header = ['Topics', 'Published/s', 'Delivered/s', 'Arrived', 'p50', 'p99', 'Nodes', 'Redis', 'Clients'] as const
const widths = header.map((title) => Math.max(title.length, 7) + 2)

const line = (cells: readonly string[]): string => cells.map((cell, at) => cell.padStart(widths[at] ?? 0)).join('')

const row = (step: Step): string => {
  const whole = (value: number): string => Math.round(value).toLocaleString('en')
  const cores = (value: number): string => value.toFixed(2)
  return line([
    whole(step.topics),
    whole(step.published),
    whole(step.delivered),
    `${(step.share * 100).toFixed(1)} %`,
    `${step.p50Ms.toFixed(1)}`,
    `${step.p99Ms.toFixed(1)}`,
    cores(step.nodeCores),
    cores(step.redisCores),
    cores(step.crowdCores)
  ])
}

function report({ bytesPerConnection, redisBytesPerSubscription }: Measured): string {
  const { machine, system } = describeMachine()
  return [
    '',
    'Times are milliseconds from publishing to the client. Nodes, Redis and Clients: number of busy cores.',
    'The last line for each number of topics is the rate that was too high.',
    `Memory of a node per connection: ${(bytesPerConnection / 1_000).toFixed(1)} kB (RSS).`,
    `Memory of Redis per topic and subscribed node: ${Math.round(redisBytesPerSubscription)} bytes.`,
    machine,
    system,
    ''
  ].join('\n')
}

async function main(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...argv], options })
  if (values.help) {
    process.stdout.write(usage)
    return
  }
  const extent: Extent = {
    nodes: 4,
    clientsPerNode: values.quick ? 100 : 1_000,
    durationMs: values.quick ? 1_000 : 4_000
  }
  const spreads: readonly Spread[] = [
    { topics: 1, perSecond: values.quick ? 32 : 4 },
    { topics: values.quick ? 100 : 1_000, perSecond: 500 }
  ]
  process.stdout.write(`${line(header)}\n`)
  const measured = await measure(extent, spreads, (step) => process.stdout.write(`${row(step)}\n`))
  process.stdout.write(report(measured))
  if (values.json !== undefined)
    writeFileSync(values.json, `${JSON.stringify({ extent, ...measured }, undefined, 2)}\n`)
}

main(process.argv.slice(2)).catch((error: Error) => {
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
})
