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

/** A thrown value on one line, with or without its stack. Never throws. */
export function showFault(fault: unknown, part: 'stack' | 'message' = 'message'): string {
  try {
    if (!(fault instanceof Error)) return show(fault)
    const text = String((part === 'stack' ? fault.stack : undefined) ?? fault)
    return printable(text.slice(0, longestFault).replace(/\n\s*/g, ' | '), part === 'stack' ? longestFault : longest)
  } catch {
    return show(fault)
  }
}
