import { drawPicture, escapeText, round, ticksFor, width } from './svg.ts'

export interface Bar {
  readonly label: string
  readonly value: number
  /** The ends of the whisker: the quartiles. */
  readonly lower: number
  readonly upper: number
  readonly kind: 'ours' | 'peer' | 'floor'
}

export interface Chart {
  readonly title: string
  /** The label of the axis. */
  readonly axis: string
  readonly bars: readonly Bar[]
  /** A line across all bars, to compare them with. */
  readonly line?: number
  readonly digits: number
}

const valueWidth = 60
/** The average width in the font of charts, rounded up. */
const characterWidth = 6.8
const rowHeight = 26
const barHeight = 16
const top = 56

/** The left edge of the bars, and the position of a value. */
interface Plot {
  readonly left: number
  readonly right: number
  x(value: number): number
}

function plotFor(bars: readonly Bar[], most: number): Plot {
  const left = 26 + characterWidth * Math.max(...bars.map(({ label }) => label.length))
  const right = width - valueWidth
  return { left, right, x: (value) => round(left + (Math.max(0, value) / most) * (right - left)) }
}

/** Horizontal bars with whiskers, as SVG. */
export function drawChart({ title, axis, bars, line, digits }: Chart): string {
  const ticks = ticksFor(Math.max(...bars.map(({ upper, value }) => Math.max(upper, value)), line ?? 0))
  const plot = plotFor(bars, ticks.at(-1) as number)
  const bottom = top + bars.length * rowHeight
  const height = bottom + 48
  const vertical = (kind: string, value: number): string =>
    `<line class="${kind}" x1="${plot.x(value)}" x2="${plot.x(value)}" y1="${top - 6}" y2="${bottom}"/>`
  return drawPicture(title, axis, height, [
    ...ticks.map(
      (tick) =>
        `${vertical('grid', tick)}<text class="tick" x="${plot.x(tick)}" y="${bottom + 16}" text-anchor="middle">${tick}</text>`
    ),
    ...bars.map((bar, row) => drawBar(bar, top + row * rowHeight, plot)),
    ...(line === undefined ? [] : [vertical('line', line)]),
    ...bars.map((bar, row) => drawValue(bar, top + row * rowHeight, plot, digits)),
    `<text class="axis" x="${round((plot.left + plot.right) / 2)}" y="${bottom + 36}" text-anchor="middle">${escapeText(axis)}</text>`
  ])
}

function drawBar({ label, value, lower, upper, kind }: Bar, y: number, { left, x }: Plot): string {
  const middle = y + barHeight / 2
  return [
    `<text x="${round(left - 10)}" y="${middle + 4}" text-anchor="end">${escapeText(label)}</text>`,
    `<rect class="${kind}" x="${round(left)}" y="${y}" width="${round(x(value) - left)}" height="${barHeight}" rx="2"/>`,
    `<line class="whisker" x1="${x(lower)}" x2="${x(upper)}" y1="${middle}" y2="${middle}"/>`
  ].join('')
}

function drawValue({ value, upper }: Bar, y: number, { x }: Plot, digits: number): string {
  const [at, baseline] = [round(x(Math.max(value, upper)) + 8), y + barHeight / 2 + 4]
  return `<text class="value" x="${at}" y="${baseline}">${value.toFixed(digits)}</text>`
}
