/** Maximum length of a shown message, in characters. */
const longest = 80

/** Control characters, which a terminal may interpret, and line breaks. */
const controls = /[\p{Cc}\u2028\u2029]/gu

const escapeControl = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`

/** A message from the other end, for an error message. */
export function show(data: string | Buffer): string {
  if (typeof data !== 'string') {
    return `${data.length} bytes (${cut(data.subarray(0, longest).toString('hex'), longest)})`
  }
  // The rest would be cut off anyway.
  return cut(JSON.stringify(data.slice(0, longest + 1)).replace(controls, escapeControl), longest)
}

const cut = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most)}…` : text)

/** Text from the other end, for an error message: keeps line breaks, and escapes other control characters. */
export const readable = (text: string, most: number): string =>
  cut(text, most)
    .replaceAll('\r\n', '\n')
    .replace(controls, (character) => (character === '\n' || character === '\t' ? character : escapeControl(character)))

/** The name of an option, on one line. */
export const showName = (name: string): string => readable(name, longest).replace(/[\n\t]/g, escapeControl)

/** A value from the test, for an error message about it. Never throws. */
export function showValue(value: unknown): string {
  try {
    if (typeof value === 'string') return show(value)
    if (typeof value === 'function') return 'a function'
    const text = typeof value === 'object' ? JSON.stringify(value) : String(value)
    return showName(text)
  } catch {
    // A circular object, a revoked Proxy, or a getter that throws.
    return 'an object'
  }
}

/** The last of several messages, after `…` if there are more. */
export function showAll(count: number, last: readonly (string | Buffer)[]): string {
  const shown = last.map(show).join(', ')
  return count > last.length ? `…, ${shown}` : shown
}
