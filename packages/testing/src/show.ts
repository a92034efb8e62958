/** Characters of a message that are shown in a sentence about it. */
const longest = 80

/** What a terminal may obey, and what ends a line. */
const controls = /[\p{Cc}\u2028\u2029]/gu

const escapeControl = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`

/** A message, for a sentence. */
export function show(data: string | Buffer): string {
  if (typeof data !== 'string') {
    return `${data.length} bytes (${cut(data.subarray(0, longest).toString('hex'), longest)})`
  }
  // What is left out would be cut off anyway.
  return cut(JSON.stringify(data.slice(0, longest + 1)).replace(controls, escapeControl), longest)
}

const cut = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most)}…` : text)

/** Text of the other end, for an error's message: line breaks stay, what a terminal may obey does not. */
export const readable = (text: string, most: number): string =>
  cut(text, most)
    .replaceAll('\r\n', '\n')
    .replace(controls, (character) => (character === '\n' || character === '\t' ? character : escapeControl(character)))

/** The name of an option, on one line. */
export const showName = (name: string): string => readable(name, longest).replace(/[\n\t]/g, escapeControl)

/** A value of the test's own, for a message about its mistake. Never throws. */
export function showValue(value: unknown): string {
  try {
    if (typeof value === 'string') return show(value)
    if (typeof value === 'function') return 'a function'
    const text = typeof value === 'object' ? JSON.stringify(value) : String(value)
    return showName(text)
  } catch {
    // It refers to itself, is revoked, or has a getter that throws.
    return 'an object'
  }
}

/** The same as `show` for several, of which the last ones are given. */
export function showAll(count: number, last: readonly (string | Buffer)[]): string {
  const shown = last.map(show).join(', ')
  return count > last.length ? `${count}, the last ones ${shown}` : shown
}
