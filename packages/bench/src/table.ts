import type { Measured, SuiteResult } from './lab.ts'
import { ratios, type Summary, spread, summarize } from './statistics.ts'
import type { Entry, Figure } from './suites/suite.ts'

const valuesOf = ({ samples }: Measured, { key }: Figure): number[] => samples.map((sample) => sample[key] as number)

/** The ratios of an entry to another one, round by round; undefined if the other one was not measured. */
export function ratioTo({ measured }: SuiteResult, name: string, base: string, figure: Figure): Summary | undefined {
  const [one, other] = [name, base].map((wanted) => measured.find(({ entry }) => entry.name === wanted))
  if (one === undefined || other === undefined) return undefined
  return summarize(ratios(valuesOf(one, figure), valuesOf(other, figure)))
}

export const summaryOf = (measured: Measured, figure: Figure): Summary => summarize(valuesOf(measured, figure))

export const showRatio = (ratio: Summary | undefined): string => (ratio === undefined ? '' : ratio.median.toFixed(2))
const showPercent = (share: number): string => `${(share * 100).toFixed(0)} %`
const showNumber = (value: number, { digits, unit }: Figure): string => {
  const text = value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
  return unit === '' ? text : `${text} ${unit}`
}

const baseTitle = ({ measured }: SuiteResult): string => {
  const bases = new Set(measured.map(({ entry }) => entry.base))
  const [base] = bases
  return bases.size === 1 ? (measured.find(({ entry }) => entry.name === base)?.entry.title ?? '') : 'its base'
}

/** A suite as rows of cells, with the header first. */
export function tableOf(result: SuiteResult): string[][] {
  const { suite, measured } = result
  const [main] = suite.figures
  const header = suite.figures.flatMap((figure) => [
    figure.title,
    ...(figure === main ? ['Spread'] : []),
    ...(figure.compared ? [`vs. ${baseTitle(result)}`] : [])
  ])
  const cells = (line: Measured, entry: Entry, figure: Figure): string[] => {
    const summary = summaryOf(line, figure)
    return [
      showNumber(summary.median, figure),
      ...(figure === main ? [showPercent(spread(summary))] : []),
      ...(figure.compared ? [showRatio(ratioTo(result, entry.name, entry.base, figure))] : [])
    ]
  }
  return [
    ['', ...header],
    ...measured.map((line) => [line.entry.title, ...suite.figures.flatMap((figure) => cells(line, line.entry, figure))])
  ]
}
