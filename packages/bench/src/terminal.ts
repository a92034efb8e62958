import type { SuiteResult } from './lab.ts'
import { tableOf } from './table.ts'

/** Prints a suite as columns. */
export function printTable(result: SuiteResult): void {
  const rows = tableOf(result)
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const lines = rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] as number) : cell.padStart(widths[column] as number)
      )
      .join('  ')
  )
  process.stdout.write(`\n${result.suite.title}\n${lines.join('\n')}\n\n`)
}
