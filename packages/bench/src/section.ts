import { type Bar, drawChart } from './chart.ts'
import { type Conditions, unusualNote } from './conditions.ts'
import { handshakers } from './contenders/index.ts'
import type { SuiteResult } from './lab.ts'
import type { Kept } from './results.ts'
import { ratioTo, showRatios, summaryOf, tableOf } from './table.ts'

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
export function shortTable(results: readonly SuiteResult[]): string {
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

/** What a suite was measured with, and when, if not all of it is in the table of what is compared. */
function packagesNote({ measured, measuredAt, conditions }: Kept): string[] {
  const listed = new Set(handshakers.flatMap(({ libraries }) => libraries))
  const libraries = [...new Set(measured.flatMap(({ entry }) => entry.contender.libraries))]
  if (libraries.every((library) => listed.has(library))) return []
  const packages = libraries.map((library) => conditions[library] ?? library)
  return [`Measured on ${measuredAt.slice(0, 10)} with ${packages.join(', ')}.`]
}

/** A suite on the page. It says what it was measured with where that is not as usual. */
export function section(result: Kept, usual: Conditions): string {
  const { title, text, chart } = result.suite
  return [
    `## ${title}`,
    text,
    ...packagesNote(result),
    ...unusualNote(result.conditions, usual),
    `![${chart}](images/${chartFile(result)})`,
    markdownTable(tableOf(result))
  ].join('\n\n')
}
