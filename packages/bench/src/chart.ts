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

const width = 760
const valueWidth = 60
/** The average width in the font below, rounded up. */
const characterWidth = 6.8
const rowHeight = 26
const barHeight = 16
const top = 56

/** The picture has its own background, so that it is readable anywhere, and follows the reader's colour scheme. */
const style = `
    .paper { fill: #ffffff } text { fill: #1f2933; font: 13px system-ui, sans-serif }
    .title { font-weight: 600; font-size: 14px } .tick, .axis { fill: #52606d; font-size: 12px }
    .value { stroke: #ffffff; stroke-width: 4; paint-order: stroke }
    .grid { stroke: #e4e7eb } .line { stroke: #b42318; stroke-width: 1.5; stroke-dasharray: 4 3 } .whisker { stroke: #1f2933 }
    .ours { fill: #2563eb } .peer { fill: #9aa5b1 } .floor { fill: #ffffff; stroke: #7b8794; stroke-dasharray: 3 2 }
    @media (prefers-color-scheme: dark) {
      .paper { fill: #161b22 } text { fill: #e6edf3 } .tick, .axis { fill: #9da7b1 }
      .value { stroke: #161b22 } .grid { stroke: #30363d } .line { stroke: #ff7b72 } .whisker { stroke: #e6edf3 }
      .ours { fill: #4c8dff } .peer { fill: #6b7682 } .floor { fill: #161b22; stroke: #8b949e }
    }`

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
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    `  <title>${escapeText(axis)}</title>`,
    `  <style>${style}\n  </style>`,
    `  <rect class="paper" width="${width}" height="${height}" rx="6"/>`,
    `  <text class="title" x="16" y="28">${escapeText(title)}</text>`,
    ...ticks.map(
      (tick) =>
        `  ${vertical('grid', tick)}<text class="tick" x="${plot.x(tick)}" y="${bottom + 16}" text-anchor="middle">${tick}</text>`
    ),
    ...bars.map((bar, row) => `  ${drawBar(bar, top + row * rowHeight, plot)}`),
    ...(line === undefined ? [] : [`  ${vertical('line', line)}`]),
    ...bars.map((bar, row) => `  ${drawValue(bar, top + row * rowHeight, plot, digits)}`),
    `  <text class="axis" x="${round((plot.left + plot.right) / 2)}" y="${bottom + 36}" text-anchor="middle">${escapeText(axis)}</text>`,
    '</svg>',
    ''
  ].join('\n')
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

const round = (pixels: number): number => Math.round(pixels * 10) / 10

/** About five round numbers from zero to at least the largest value. */
export function ticksFor(largest: number): number[] {
  if (largest <= 0) return [0, 1]
  const rough = largest / 5
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough) as number) * power
  const count = Math.ceil(largest / step - 1e-9)
  return Array.from({ length: count + 1 }, (_, index) => Number((index * step).toPrecision(12)))
}

const escapeText = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/"/g, '&quot;')
