/** The quantile of sorted values, interpolated between two of them if necessary. */
function quantile(sorted: readonly number[], share: number): number {
  const at = (sorted.length - 1) * share
  const [below, above] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]]
  if (below === undefined || above === undefined) throw new RangeError('There are no values.')
  return below + (above - below) * (at % 1)
}

/** A summary of the values of all rounds. */
export interface Summary {
  readonly median: number
  /** A quarter of the values are below `lower`, a quarter above `upper`. */
  readonly lower: number
  readonly upper: number
}

/** @throws RangeError if there are no values */
export function summarize(values: readonly number[]): Summary {
  const sorted = [...values].sort((a, b) => a - b)
  return { median: quantile(sorted, 0.5), lower: quantile(sorted, 0.25), upper: quantile(sorted, 0.75) }
}

/** The distance between the quartiles, as a share of the median. */
export const spread = ({ median, lower, upper }: Summary): number => (median === 0 ? 0 : (upper - lower) / median)

/** The ratios of values measured in the same round, which do not depend on how fast the machine was in that round. */
export const ratios = (values: readonly number[], base: readonly number[]): number[] =>
  values.map((value, round) => value / (base[round] as number))
