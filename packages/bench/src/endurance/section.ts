import { type Conditions, unusualNote } from '../conditions.ts'
import { markdownTable } from '../section.ts'
import { drawTimeline } from '../timeline.ts'
import type { KeptRecording, Recording } from './recording.ts'
import { leaving } from './run.ts'
import { judge, type Line, mostDelayMs, warmUpOf, windowOf } from './verdict.ts'

export const enduranceChart = 'bench-endurance.svg'

/** The packages whose versions matter. */
export const enduranceLibraries = ['@oneport/core', '@oneport/topics']

const title = 'Endurance'
const description = 'Memory and event-loop delay over time'

const verdict = ({ isMet }: Line): string => (isMet === undefined ? '' : isMet ? 'met' : 'not met')

const textOf = ({ connections, seconds, spreadMs }: Recording): string =>
  `One Oneport server with @oneport/topics has ${connections.toLocaleString('en')} clients, and its default heartbeat. For ${duration(seconds)}, ${leaving * 100} % of the clients leave each second, half of them with a close frame and half with a reset, and as many come, spread over the second. Each second all clients get one text message of 256 B, which blocks the event loop for as long as the writes take. In the end \`drain({ spreadMs: ${spreadMs.toLocaleString('en').replaceAll(',', '_')} })\` closes all connections. V8 lets the heap grow until its first full collections, so the table compares the memory of the ${windowOf(seconds)} s that follow a warm-up of ${warmUpOf(seconds)} s with that of the last ${windowOf(seconds)} s.`

const duration = (seconds: number): string =>
  seconds % 60 === 0 ? `${seconds / 60} ${seconds === 60 ? 'minute' : 'minutes'}` : `${seconds} seconds`

/** The section of the page. */
export function enduranceSection({ recording, conditions }: KeptRecording, usual: Conditions): string {
  const rows = judge(recording).map((line) => [line.what, line.found, line.target ?? '', verdict(line)])
  return [
    `## ${title}`,
    textOf(recording),
    ...unusualNote(conditions, usual),
    `![${description}](images/${enduranceChart})`,
    markdownTable([['', 'Measured', 'Target', ''], ...rows])
  ].join('\n\n')
}

/** The result, for the terminal. */
export function enduranceSummary(recording: Recording): string {
  const lines = judge(recording).map((line) => {
    const target = line.target === undefined ? '' : ` (${line.target})`
    return `${verdict(line).padEnd(8)}${line.what}: ${line.found}${target}`
  })
  return `\n${title}\n${lines.join('\n')}\n\n`
}

export function drawEndurance({ connections, rssBytes, heapBytes, worstDelayMs }: Recording): string {
  const megabytes = (bytes: readonly number[]): number[] => bytes.map((value) => value / 1_000_000)
  return drawTimeline(`${title}, ${connections.toLocaleString('en')} connections`, description, [
    {
      axis: 'Memory in MB',
      traces: [
        { label: 'RSS', values: megabytes(rssBytes) },
        { label: 'Heap', values: megabytes(heapBytes) }
      ]
    },
    {
      axis: 'Worst event-loop delay of each second in ms, outside of the broadcasts',
      traces: [{ label: 'Delay', values: worstDelayMs }],
      limit: mostDelayMs
    }
  ])
}
