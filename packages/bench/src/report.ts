import { type Bar, drawChart } from './chart.ts'
import { contenders } from './contenders/index.ts'
import type { SuiteResult } from './lab.ts'
import { ratioTo, showRatios, summaryOf, tableOf } from './table.ts'

/** What the page contains besides the results. */
export interface Circumstances {
  /** The command line, as typed. */
  readonly command: string
  readonly rounds: number
  readonly connections: number
  readonly machine: readonly string[]
  /** The name and version of a package. */
  describePackage(name: string): string
}

/** Rows of cells as a Markdown table, with the header first. Numbers are aligned right. */
export function markdownTable([header = [], ...rows]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  const rule = header.map((_, column) => (column === 0 || !/^\d/.test(rows[0]?.[column] ?? '') ? '---' : '---:'))
  return [line(header), line(rule), ...rows.map(line)].join('\n')
}

/** The chart of a suite's main figure: ratios if they make sense, otherwise absolute values. */
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

/** Our results in one table: ratios to the base of each suite, and to the peer of the same framework. */
function shortTable(results: readonly SuiteResult[]): string {
  const rows = results.flatMap((result) => {
    const { suite, measured } = result
    const [main] = suite.figures
    if (!main.compared) return []
    const toBase = (name: string): string => {
      const base = measured.find(({ entry }) => entry.name === name)?.entry.base
      return base === undefined ? '' : showRatios(ratioTo(result, name, base, main))
    }
    const cells = [
      toBase('core'),
      toBase('express'),
      toBase('fastify'),
      showRatios(ratioTo(result, 'express', 'express-ws', main)),
      showRatios(ratioTo(result, 'fastify', 'fastify-websocket', main))
    ]
    return cells.every((cell) => cell === '') ? [] : [[suite.title, ...cells]]
  })
  return markdownTable([
    ['Workload', 'Core', 'Express', 'Fastify', 'Express vs. express-ws', 'Fastify vs. @fastify/websocket'],
    ...rows
  ])
}

function section(result: SuiteResult): string {
  const { title, text, chart } = result.suite
  return [`## ${title}`, text, `![${chart}](images/${chartFile(result)})`, markdownTable(tableOf(result))].join('\n\n')
}

const remarks = `## Notes on the results

**Several messages in flight.** If messages arrive together, Oneport sends the answers in one write instead of one write for each:
see \`coalesce\` in [Options](options.md).

**bufferutil.** A server has to unmask every byte that a client sends. \`ws\` does this in JavaScript, or in compiled code if your
application installs [\`bufferutil\`](https://github.com/websockets/bufferutil), which has prebuilt binaries for common platforms.
It pays off from about 1 KiB per message on: see the tables with bufferutil.

**The cost of closing in \`ws\`.** When a connection closes, \`socketOnEnd\` and \`socketOnClose\` of \`ws\` end a receiver and a socket that
have already ended. For each of these three calls Node creates an error with a stack trace, and drops it, because \`end()\` was
called without a callback. In a CPU profile of bare \`ws\`, this took 12 % of a handshake and close. Oneport avoids it on its own
sockets with an \`end\` that does nothing once they have ended. The right place for the fix is \`ws\`: if it checked \`writableEnded\`
before each of the three calls, everything on this page except the floors would get faster.

**The cost of a handshake in Oneport.** On top of what \`ws\` does, Oneport creates a \`ServerResponse\`, writes its headers one by one, and keeps
the route's async context for the socket's listeners. This is what makes middleware work. A refusal costs more than in
bare \`ws\`, because it is a full response: two pieces written in one system call, where bare \`ws\` writes one string.`

export function renderPage(results: readonly SuiteResult[], circumstances: Circumstances): string {
  const { command, rounds, connections, machine, describePackage } = circumstances
  const who = contenders.map(({ title, libraries, note }) => [title, libraries.map(describePackage).join(', '), note])
  const sections = [
    '# Benchmarks',
    '<!-- Written by the bench; change packages/bench instead. -->',
    'How much CPU time and memory Oneport needs, compared with bare `ws` and with other libraries in the same run.',
    `## In short

Each figure is a ratio of the main figure of a workload, such as server CPU time: below 1.00 means less work. In front of the
slash is the median, behind it the [lower quartile](#how-to-read-the-tables). The first three columns compare with bare \`ws\`, and
the HTTP tax with the same framework without WebSockets. The last two compare with the library that you would use instead.

${shortTable(results)}`,
    `## Running it yourself

This page was written by:

\`\`\`sh
${command}
\`\`\`

For a rough overview in three minutes, or for selected parts only, run one of the following. They print their results and do not
change this page.

\`\`\`sh
npm run bench -- --quick
npm run bench -- --suite echo --contender ws,core
npm run bench -- --help
\`\`\``,
    `## How to read the tables

- **The main figure is server CPU time per operation**, user and system, as the server process reports it. Throughput is secondary,
  because it depends as much on the load generator, whose own CPU time is in the last column.
- **Compare the ratios.** A ratio is the median of ${rounds} rounds (three if each round starts new servers), and each round divides
  figures that were measured in that round. All contenders take a turn in each round, and every second round runs backwards.
- **Behind the slash** is the lower quartile of a contender divided by that of its base. Some rounds collect garbage that other rounds
  left, which distorts the median.
- **Differences below 5 % are noise**, even if the spread is smaller. The spread is the distance between the quartiles in percent of
  the median. The whiskers in the charts mark the quartiles.
- **Ignore absolute figures.** On a shared machine they change from one minute to the next, with other work, the CPU's clock
  and the host of the virtual machine.

## How it was measured

- Server and load generator are separate processes. The generator sends prepared bytes over raw TCP sockets on the loopback
  interface.
- Warm-up rounds do not count. Garbage is collected when V8 decides to. Forcing a collection between rounds would make every
  contender compile its code again, which took as long as the work itself.
- All contenders do the same work: they check the origin, agree on a subprotocol, and echo text messages. Messages are not
  compressed, and \`bufferutil\` is not used, unless a heading says so.
${machine.map((fact) => `- ${fact}`).join('\n')}
- ${connections.toLocaleString('en')} connections where many are held`,
    `## What is compared\n\n${markdownTable([['', 'Packages', 'How it does the work'], ...who])}`,
    ...results.map(section),
    remarks
  ]
  return `${sections.join('\n\n')}\n`
}
