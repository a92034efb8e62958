/**
 * Turns foreign values into text. What an application throws or passes, and what a client sends, can be anything: an
 * object without a prototype, a getter that throws, a revoked Proxy, 64 KiB of line breaks, escape sequences for a
 * terminal. Nothing here throws, and the length of the results is limited.
 */

/** Maximum length of what a client sent, in characters. */
const longestQuote = 120

/** Maximum length of a value of the application, in characters. */
const longestValue = 256

/** Maximum length of an error, in characters: room for a message and ten lines of a stack. */
const longestError = 8_192

/** Formats what a client sent, for a message: quoted, escaped and truncated. A missing value is `nothing`. */
export function quote(value: string | undefined): string {
  if (value === undefined) return 'nothing'
  const quoted = escapeControls(JSON.stringify(value.slice(0, longestQuote)))
  return value.length > longestQuote ? `${quoted}…` : quoted
}

/** Formats a value of the application, for an error message: truncated, but not escaped. */
export function show(value: unknown): string {
  if (typeof value === 'string') return `'${cut(value, longestValue)}'`
  if (typeof value === 'function') return 'a function'
  const text = attempt(() => {
    const tag = Object.prototype.toString.call(value)
    return typeof value === 'object' && value !== null && tag !== '[object RegExp]' ? tag : String(value)
  })
  return text === undefined ? `[unprintable ${typeof value}]` : cut(text, longestValue)
}

/** Formats an error, or anything else that was thrown, with its stack, on several lines. */
export const describe = (error: unknown): string =>
  indented(attempt(() => (error as Error).stack) ?? describeBriefly(error))

/** Formats an error without its stack, on one line. */
export const describeBriefly = (error: unknown): string =>
  oneLine(attempt(() => String(error)) ?? attempt(() => (error as Error).message) ?? show(error))

/** Puts a text on one line, with ` | ` between its lines. */
export const oneLine = (text: string): string => joinLines(text, ' | ')

/** Indents all lines of a text except the first, so that none can be mistaken for a line of the log itself. */
export const indented = (text: string): string => joinLines(text, '\n    ')

function joinLines(text: string, separator: string): string {
  // Not with a regular expression: none finds the space around line breaks in linear time.
  const lines = text.slice(0, longestError).split('\n')
  const shown = lines.map((line) => escapeControls(line.trim())).filter((line) => line !== '')
  return shown.join(separator) + (text.length > longestError ? '…' : '')
}

/** The result of `read` if it is a non-empty string; undefined otherwise, or if `read` throws. */
function attempt(read: () => unknown): string | undefined {
  try {
    const text = read()
    return typeof text === 'string' && text !== '' ? text : undefined
  } catch {
    return undefined
  }
}

const cut = (text: string, longest: number): string => (text.length > longest ? `${text.slice(0, longest)}…` : text)

/**
 * Control characters that terminals obey (C0, DEL and C1), line and paragraph separators, and characters that change
 * the direction of text, so that a line reads differently (https://trojansource.codes).
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const controls = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g

/** Escapes control characters as JSON does. */
const escapeControls = (text: string): string =>
  text.replace(controls, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
