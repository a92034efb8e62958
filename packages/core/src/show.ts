/**
 * Foreign values as text. What an application throws or passes, and what a peer sends, may be anything: an object
 * without a prototype, a getter that throws, a revoked Proxy, 64 KiB of line breaks, the sequences that a terminal
 * obeys. Nothing here throws, and the length of what it returns is bounded.
 */

/** Characters of what a client sent, in a message. */
const longestQuote = 120

/** Characters of a value of the application's own. */
const longestValue = 256

/** Characters of an error in a log line: a message and ten lines of a stack fit. */
const longestError = 8_192

/** What a client sent, for a message: quoted, escaped, and cut. A missing value reads `nothing`. */
export function quote(value: string | undefined): string {
  if (value === undefined) return 'nothing'
  const quoted = escapeControls(JSON.stringify(value.slice(0, longestQuote)))
  return value.length > longestQuote ? `${quoted}…` : quoted
}

/** A value of the application's own, for a message about its mistake; cut, and as it is otherwise. */
export function show(value: unknown): string {
  if (typeof value === 'string') return `'${cut(value, longestValue)}'`
  if (typeof value === 'function') return 'a function'
  const isObject = typeof value === 'object' && value !== null
  const text = attempt(() => (isObject ? Object.prototype.toString.call(value) : String(value)))
  return text === undefined ? `[unprintable ${typeof value}]` : cut(text, longestValue)
}

/** An error, or whatever was thrown in place of one, with its stack, on as many lines as that has. */
export const describe = (error: unknown): string =>
  indented(attempt(() => (error as Error).stack) ?? describeBriefly(error))

/** The same without the stack, on one line. */
export const describeBriefly = (error: unknown): string =>
  oneLine(attempt(() => String(error)) ?? attempt(() => (error as Error).message) ?? show(error))

/** A text as one line: its own lines are joined by ` | `. */
export const oneLine = (text: string): string => joinLines(text, ' | ')

/** A text of several lines, of which all but the first are indented: none of them can be taken for one of the log's own. */
export const indented = (text: string): string => joinLines(text, '\n    ')

function joinLines(text: string, separator: string): string {
  // No regular expression finds the space around line breaks in linear time.
  const lines = text.slice(0, longestError).split('\n')
  const shown = lines.map((line) => escapeControls(line.trim())).filter((line) => line !== '')
  return shown.join(separator) + (text.length > longestError ? '…' : '')
}

/** What `read` returns, where that is a text; undefined for anything else, and where it throws. */
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
 * C0, DEL and C1, which terminals obey; the line and paragraph separators; and what turns the direction of the text
 * around, so that a line reads as another one (https://trojansource.codes).
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const controls = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g

/** Writes each control character as JSON does. */
const escapeControls = (text: string): string =>
  text.replace(controls, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
