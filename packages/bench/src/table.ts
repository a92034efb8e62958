import type { Measured, SuiteResult } from './lab.ts'
import { ratios, type Summary, spread, summarize } from './statistics.ts'
import type { Entry, Figure } from './suites/suite.ts'

const valuesOf = ({ samples }: Measured, { key }: Figure): number[] => samples.map((sample) => sample[key] as number)

/** How an entry compares with another one. */
export interface Ratio extends Summary {
  /** The lower quartile of one, divided by that of the other. Rounds that collect what earlier ones left do not count. */
  readonly ofLowerQuartiles: number
}

/** The ratios of an entry to another one, round by round; undefined if the other one was not measured. */
export function ratioTo({ measured }: SuiteResult, name: string, base: string, figure: Figure): Ratio | undefined {
  const [one, other] = [name, base].map((wanted) => measured.find(({ entry }) => entry.name === wanted))
  if (one === undefined || other === undefined) return undefined
  const [values, baseValues] = [valuesOf(one, figure), valuesOf(other, figure)]
  return {
    ...summarize(ratios(values, baseValues)),
    ofLowerQuartiles: summarize(values).lower / summarize(baseValues).lower
  }
}

export const summaryOf = (measured: Measured, figure: Figure): Summary => summarize(valuesOf(measured, figure))

const showRatio = (ratio: Ratio | undefined): string => ratio?.median.toFixed(2) ?? ''
/** A ratio of main figures: the median of the rounds, and the ratio of the lower quartiles. */
export const showRatios = (ratio: Ratio | undefined): string =>
  ratio === undefined ? '' : `${showRatio(ratio)} / ${ratio.ofLowerQuartiles.toFixed(2)}`
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
    const show = figure === main ? showRatios : showRatio
    return [
      showNumber(summary.median, figure),
      ...(figure === main ? [showPercent(spread(summary))] : []),
      ...(figure.compared ? [show(ratioTo(result, entry.name, entry.base, figure))] : [])
    ]
  }
  return [
    ['', ...header],
    ...measured.map((line) => [line.entry.title, ...suite.figures.flatMap((figure) => cells(line, line.entry, figure))])
  ]
}
