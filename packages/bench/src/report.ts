import { usualOf } from './conditions.ts'
import { handshakers } from './contenders/index.ts'
import type { KeptRecording } from './endurance/recording.ts'
import { enduranceSection } from './endurance/section.ts'
import type { Origin } from './kept-file.ts'
import { remarks } from './remarks.ts'
import type { Kept } from './results.ts'
import type { KeptRolling } from './rolling/recording.ts'
import { rollingSection } from './rolling/section.ts'
import { markdownTable, section, shortTable } from './section.ts'

/** The commands that measured the results, the latest last. */
function commandsOf(origins: readonly Origin[]): string[] {
  const byTime = origins.toSorted((one, other) => one.measuredAt.localeCompare(other.measuredAt))
  return [...new Set(byTime.map(({ command }) => command))]
}

/** The page of all results. */
export function renderPage(results: readonly Kept[], endurance?: KeptRecording, rolling?: KeptRolling): string {
  const origins: Origin[] = [...results, endurance, rolling].filter((origin) => origin !== undefined)
  const usual = usualOf(origins.map(({ conditions }) => conditions))
  const { rounds = '9 rounds', machine, system, pinning, connections } = usual
  const facts = [machine, system, pinning, connections].filter((fact) => fact !== undefined)
  const measured = new Set(results.flatMap((result) => result.measured.map(({ entry }) => entry.contender)))
  const who = handshakers
    .filter((contender) => measured.has(contender))
    .map(({ title, libraries, note }) => [
      title,
      libraries.map((library) => usual[library] ?? library).join(', '),
      note
    ])
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

Each workload keeps its results until it is measured again, so workloads may have been measured at different times. The
commands were:

\`\`\`sh
${commandsOf(origins).join('\n')}
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
- **Compare the ratios.** A ratio is the median of ${rounds} (three if each round starts new servers), and each round divides
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
${facts.map((fact) => `- ${fact}`).join('\n')}`,
    `## What is compared\n\n${markdownTable([['', 'Packages', 'How it does the work'], ...who])}`,
    ...results.map((result) => section(result, usual)),
    ...(rolling === undefined ? [] : [rollingSection(rolling, usual)]),
    ...(endurance === undefined ? [] : [enduranceSection(endurance, usual)]),
    remarks
  ]
  return `${sections.join('\n\n')}\n`
}
