import { pages } from '../docs.ts'
import { show } from '../show.ts'
import { nearMiss, numberIn } from './near-miss.ts'

/** Errors about options that do not name the called function yet. */
const nameless = new WeakSet<object>()

/** Creates an error about an option. {@link inCall} adds the name of the called function. */
export function optionError(message: string): TypeError {
  const error = new TypeError(message)
  nameless.add(error)
  return error
}

/**
 * Adds the name of the called function to an error about an option. Other errors are returned as they are.
 * @param call the function, as the application writes it
 * @param caller the stack of the error starts where this function was called
 */
export function inCall(error: unknown, call: string, caller: (...args: never[]) => unknown = checking): unknown {
  if (!(error instanceof TypeError && nameless.has(error))) return error
  const named = new TypeError(`${call}: ${error.message}`)
  Error.captureStackTrace(named, caller)
  return named
}

/**
 * Runs the checks of a call. An error about an option names that call.
 * @param call the function, as the application writes it
 * @param caller the stack of the error starts where this function was called
 */
export function checking<Result>(call: string, check: () => Result, caller?: Parameters<typeof inCall>[2]): Result {
  try {
    return check()
  } catch (error) {
    throw inCall(error, call, caller)
  }
}

/** Helps to suggest the right name. */
interface NameHints {
  /** The option that contains these options, if they are nested. */
  readonly parent?: string
  /** Valid names that the caller has already removed. */
  readonly others?: readonly string[]
  /** Says where a known option belongs if it is in the wrong place. */
  belongs?(name: string): string | undefined
}

/** @throws TypeError if the options are not an object, or contain an unknown name */
export function checkNames(
  options: object,
  known: readonly string[],
  { parent, others = [], belongs }: NameHints = {}
): void {
  if (!isObject(options)) throw expected(parent ?? 'options', 'an object', options)
  const unknown = Object.keys(options).find((name) => !known.includes(name))
  if (unknown === undefined) return
  const path = parent === undefined ? '' : `${parent}.`
  const near = nearMiss(unknown, [...known, ...others])
  const meant = near === undefined ? `see ${pages}/options.md` : `did you mean ${path}${near}?`
  throw optionError(`unknown option ${show(path + unknown)}; ${belongs?.(unknown) ?? meant}`)
}

/** @throws TypeError if a value has another type; undefined is allowed */
export function checkType(name: string, value: unknown, type: 'boolean' | 'function'): void {
  if (value !== undefined && typeof value !== type) throw expected(name, `a ${type}`, value)
}

/** @throws TypeError if a value is not a positive whole number or Infinity; undefined is allowed */
export function checkCount(name: string, value: unknown, unit: string): void {
  if (value === undefined || value === Infinity || isPositiveInteger(value)) return
  throw expected(name, `a positive whole number of ${unit}, or Infinity`, value)
}

/** @throws TypeError if a value is not a duration that a timer can wait for; undefined is allowed */
export function checkMilliseconds(name: string, value: unknown): void {
  if (value === undefined || (isPositiveInteger(value) && (value as number) < 2 ** 31)) return
  throw expected(name, 'a whole number of milliseconds from 1 to 2147483647', value)
}

/** @throws TypeError if a close reason is not a string or does not fit into a close frame (RFC 6455 §5.5) */
export function checkReason(reason: unknown): void {
  if (typeof reason === 'string' && Buffer.byteLength(reason) <= 123) return
  throw expected('reason', 'a string of at most 123 bytes (RFC 6455 §5.5)', reason)
}

/** Whether a value is an object that can contain options. */
export const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Whether a value is a positive whole number. */
export const isPositiveInteger = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) > 0

/**
 * Creates the error for a wrong option: its name, what was expected, and what it got.
 * @param meant what was probably meant, as code
 */
export function expected(name: string, what: string, value: unknown, meant?: string): TypeError {
  const near = meant ?? (what.includes('number') ? numberIn(value) : undefined)
  const hint = near === undefined ? '' : `; did you mean ${near}?`
  return optionError(`${name}: expected ${what}; got ${show(value)}${hint}`)
}
