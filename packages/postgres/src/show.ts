/** Maximum length of a shown value, in characters. */
const longest = 100
const longestFault = 2_000

/** Control characters, which a terminal may interpret, and line breaks. */
const controls = /[\p{Cc}\u2028\u2029]/gu

const escapeControl = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`

/** On one line and of bounded length. */
const printable = (text: string, most: number): string =>
  text.slice(0, most).replace(controls, escapeControl) + (text.length > most ? '…' : '')

/** A value from the application, for an error message about it. Never throws. */
export function show(value: unknown): string {
  try {
    if (typeof value === 'string') return `'${printable(value, longest)}'`
    if (typeof value === 'function') return 'a function'
    const text = typeof value === 'object' && value !== null ? Object.prototype.toString.call(value) : String(value)
    return printable(text, longest)
  } catch {
    // A revoked Proxy, or a getter that throws.
    return 'an object'
  }
}

/** A thrown value on one line. Never throws. */
export function showFault(fault: unknown): string {
  try {
    return fault instanceof Error ? printable(String(fault).replace(/\n\s*/g, ' | '), longest) : show(fault)
  } catch {
    return show(fault)
  }
}

/** A thrown value with its stack. The lines are indented, so that none looks like an entry of the log. Never throws. */
export function showStack(fault: unknown): string {
  try {
    if (!(fault instanceof Error)) return show(fault)
    const lines = String(fault.stack ?? fault)
      .slice(0, longestFault)
      .split('\n')
    return lines.map((line) => printable(line.trim(), longestFault)).join(lineBreak)
  } catch {
    return show(fault)
  }
}

/** Between the lines of one entry of the log. */
export const lineBreak = '\n    '
