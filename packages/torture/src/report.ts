import type { Arguments } from './arguments.ts'
import type { Result } from './run.ts'

/** How many contradictions are printed. */
const mostPrinted = 10

/** A number with its thousands separated: 1 000 000. */
export const count = (value: number): string => String(value).replace(/\B(?=(?:\d{3})+$)/g, ' ')

export const summaryOf = ({
  published,
  abandoned,
  deliveries,
  reconnects,
  gaps,
  seconds,
  contradictions
}: Result): string =>
  `${count(published)} messages and ${count(abandoned)} abandoned, ${count(deliveries)} deliveries, ` +
  `${count(reconnects)} reconnects, ${count(gaps)} gaps, ${count(contradictions.length)} contradictions, ` +
  `in ${Math.round(seconds)} s`

/** What is wrong, and the command that repeats the run. */
export function failureOf({ contradictions }: Result, given: Arguments): string {
  const printed = contradictions
    .slice(0, mostPrinted)
    .map(({ what, lines }) => [what, ...lines.map((line) => `    ${line}`)].join('\n'))
  const left = contradictions.length - printed.length
  if (left > 0) printed.push(`And ${count(left)} more.`)
  const args = Object.entries({ ...given, runs: 1 }).map(([name, value]) => `--${name} ${value}`)
  return `${printed.join('\n')}\nRepeat this with: npm run torture -- ${args.join(' ')}`
}
