import { type Bar, drawChart } from './chart.ts'
import { contenders } from './contenders/index.ts'
import type { SuiteResult } from './lab.ts'
import { ratioTo, showRatio, summaryOf, tableOf } from './table.ts'

/** What stands on the page beside the results. */
export interface Circumstances {
  /** As it was typed. */
  readonly command: string
  readonly rounds: number
  readonly connections: number
  readonly machine: readonly string[]
  /** A package with its version. */
  describePackage(name: string): string
}

/** Rows of cells as a table of Markdown, the header first; numbers stand at the right. */
export function markdownTable([header = [], ...rows]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  const rule = header.map((_, column) => (column === 0 || !/^\d/.test(rows[0]?.[column] ?? '') ? '---' : '---:'))
  return [line(header), line(rule), ...rows.map(line)].join('\n')
}

/** The chart of a suite's main figure: ratios where they tell something, else what was measured. */
export function chartOf(result: SuiteResult): string {
  const { suite, measured } = result
  const [main] = suite.figures
  const bars = measured.map((line): Bar => {
    const { entry } = line
    const { median, lower, upper } =
      (main.compared ? ratioTo(result, entry.name, entry.base, main) : undefined) ?? summaryOf(line, main)
    return { label: entry.title, value: median, lower, upper, kind: entry.contender.kind }
  })
  return drawChart({
    title: suite.title,
    axis: `${suite.chart} (less is better)`,
    bars,
    digits: main.compared ? 2 : main.digits,
    ...(main.compared && { line: 1 })
  })
}

export const chartFile = ({ suite }: SuiteResult): string => `bench-${suite.name}.svg`

/** Ours in one table: to what each suite compares with, and to the peer of the same framework. */
function shortTable(results: readonly SuiteResult[]): string {
  const rows = results.flatMap((result) => {
    const { suite, measured } = result
    const [main] = suite.figures
    if (!main.compared) return []
    const toBase = (name: string): string => {
      const base = measured.find(({ entry }) => entry.name === name)?.entry.base
      return base === undefined ? '' : showRatio(ratioTo(result, name, base, main))
    }
    const cells = [
      toBase('core'),
      toBase('express'),
      toBase('fastify'),
      showRatio(ratioTo(result, 'express', 'express-ws', main)),
      showRatio(ratioTo(result, 'fastify', 'fastify-websocket', main))
    ]
    return cells.every((cell) => cell === '') ? [] : [[suite.title, ...cells]]
  })
  return markdownTable([
    ['Work', 'Core', 'Express', 'Fastify', 'Express : express-ws', 'Fastify : @fastify/websocket'],
    ...rows
  ])
}

function section(result: SuiteResult): string {
  const { title, text, chart } = result.suite
  return [`## ${title}`, text, `![${chart}](images/${chartFile(result)})`, markdownTable(tableOf(result))].join('\n\n')
}

const remarks = `## What else is known

**bufferutil.** The server unmasks every byte that a client sends. \`ws\` does it in JavaScript, or, where the application
has installed [\`bufferutil\`](https://github.com/websockets/bufferutil), in compiled code, which comes built for the usual
platforms. It pays from about 1 KiB on: see the tables with it.

**What a close costs in \`ws\`.** When a connection closes, \`socketOnEnd\` and \`socketOnClose\` of \`ws\` end the receiver
and the socket again that have been ended before. Node then builds an error object with its stack, three for each close, and
nobody gets to see them, because \`end()\` was called without a callback. In a profile of bare \`ws\` they took 12 % of a
handshake with its close. Oneport keeps these calls from its own sockets, by an \`end\` on the one socket that does nothing
where all has ended. The place for it is \`ws\`: asking for \`writableEnded\` before each of the three calls would speed up
everybody on this page but the floors.

**What is left of a handshake.** Beside what \`ws\` does, a handshake here makes a \`ServerResponse\`, writes its head field by
field, and keeps the context of its route for the listeners. That is what lets middleware see it. In a refusal there is no
\`ws\` to hide behind: the response, with two pieces in one call of the system where bare \`ws\` writes one string, is most of
the difference.`

/** The page. */
export function renderPage(results: readonly SuiteResult[], circumstances: Circumstances): string {
  const { command, rounds, connections, machine, describePackage } = circumstances
  const who = contenders.map(({ title, libraries, note }) => [title, libraries.map(describePackage).join(', '), note])
  const sections = [
    '# Benchmarks',
    '<!-- Written by the bench; change packages/bench instead. -->',
    `Oneport beside its peers, measured in the same run. This page, its tables and its charts were written by:\n\n\`\`\`sh\n${command}\n\`\`\``,
    'A rough look at everything takes three minutes, and parts can be chosen; what these print stays off this page:\n\n```sh\nnpm run bench -- --quick\nnpm run bench -- --suite echo --contender ws,core\nnpm run bench -- --help\n```',
    `## How to read this

- **The main figure is the server's CPU time for each operation**, user and system, as the server's process reports it.
  Throughput comes second: it is as much the generator's, whose own CPU time stands beside it.
- **Look at the ratios.** Each is the median of the ratios of ${rounds} rounds (three where servers start anew for each), and each
  ratio divides what was measured in the same round. In every round all contenders have their turn, A B C, then C B A. Below 1.00 is less work than the other.
- **Under 5 % is noise**, also where the spread is smaller. It is the distance between the quartiles, in per cent of the
  median, and so are the whiskers of the charts.
- **Absolute figures of a shared machine mean nothing.** Other work on it, the clock of its CPU and the host below a
  virtual machine move them from one minute to the next.
- Server and generator are processes of their own. The generator sends bytes that were made before, over raw TCP sockets on
  the loopback interface. Servers are warmed up by rounds that do not count. Garbage is collected when V8 sees fit; by force
  between the rounds, it would make every contender compile its code again, which took as long as the work itself.
- Every contender does the same work: the origin is compared, one subprotocol is agreed on, text messages come back.
  \`bufferutil\` is hidden from all of them except where a title says so. Messages are not compressed.`,
    `## The machine\n\n${machine.map((fact) => `- ${fact}`).join('\n')}\n- ${connections.toLocaleString('en')} connections where many are held`,
    `## Who takes part\n\n${markdownTable([['', 'Packages', 'How it does the work'], ...who])}`,
    `## In short\n\nThe main figure of each work as a ratio to bare ws; for the HTTP tax to the same framework without WebSockets. The last two columns compare with the library that one would use instead.\n\n${shortTable(results)}`,
    ...results.map(section),
    remarks
  ]
  return `${sections.join('\n\n')}\n`
}
