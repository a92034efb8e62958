/** The width of every chart, in pixels. */
export const width = 760

/** The picture has its own background, so that it is readable anywhere, and follows the reader's colour scheme. */
const style = `
    .paper { fill: #ffffff } text { fill: #1f2933; font: 13px system-ui, sans-serif }
    .title { font-weight: 600; font-size: 14px } .tick, .axis { fill: #52606d; font-size: 12px }
    .value { stroke: #ffffff; stroke-width: 4; paint-order: stroke }
    .grid { stroke: #e4e7eb } .line { stroke: #b42318; stroke-width: 1.5; stroke-dasharray: 4 3 } .whisker { stroke: #1f2933 }
    .ours { fill: #2563eb } .peer { fill: #9aa5b1 } .floor { fill: #ffffff; stroke: #7b8794; stroke-dasharray: 3 2 }
    .trace { fill: none; stroke: #2563eb; stroke-width: 1.5 } .trace.second { stroke: #7b8794 }
    @media (prefers-color-scheme: dark) {
      .paper { fill: #161b22 } text { fill: #e6edf3 } .tick, .axis { fill: #9da7b1 }
      .value { stroke: #161b22 } .grid { stroke: #30363d } .line { stroke: #ff7b72 } .whisker { stroke: #e6edf3 }
      .ours { fill: #4c8dff } .peer { fill: #6b7682 } .floor { fill: #161b22; stroke: #8b949e }
      .trace { stroke: #4c8dff } .trace.second { stroke: #8b949e }
    }`

/** A picture with a title. `description` is what a screen reader reads. */
export function drawPicture(title: string, description: string, height: number, lines: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    `  <title>${escapeText(description)}</title>`,
    `  <style>${style}\n  </style>`,
    `  <rect class="paper" width="${width}" height="${height}" rx="6"/>`,
    `  <text class="title" x="16" y="28">${escapeText(title)}</text>`,
    ...lines.map((line) => `  ${line}`),
    '</svg>',
    ''
  ].join('\n')
}

export const round = (pixels: number): number => Math.round(pixels * 10) / 10

/** About five round numbers from zero to at least the largest value. */
export function ticksFor(largest: number): [number, ...number[]] {
  if (largest <= 0) return [0, 1]
  const rough = largest / 5
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough) as number) * power
  const count = Math.ceil(largest / step - 1e-9)
  return [0, ...Array.from({ length: count }, (_, index) => Number(((index + 1) * step).toPrecision(12)))]
}

export const escapeText = (text: string): string =>
  text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/"/g, '&quot;')
