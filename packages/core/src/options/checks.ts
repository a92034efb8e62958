import { pages } from '../docs.ts'
import { show } from '../show.ts'
import { nearMiss, numberIn } from './near-miss.ts'

/** Errors about options that do not say yet who was given them. */
const nameless = new WeakSet<object>()

/** An error about an option, which {@link inCall} completes. */
export function optionError(message: string): TypeError {
  const error = new TypeError(message)
  nameless.add(error)
  return error
}

/**
 * Names the function that was given a wrong option, in the error about it; other errors stay as they are.
 * @param call the function, as the application writes it
 * @param caller the stack begins where this one was called
 */
export function inCall(error: unknown, call: string, caller: (...args: never[]) => unknown = checking): unknown {
  if (!(error instanceof TypeError && nameless.has(error))) return error
  const named = new TypeError(`${call}: ${error.message}`)
  Error.captureStackTrace(named, caller)
  return named
}

/**
 * Runs the checks of a call, and names that call in an error about an option.
 * @param call the function, as the application writes it
 * @param caller the stack begins where this one was called
 */
export function checking<Result>(call: string, check: () => Result, caller?: Parameters<typeof inCall>[2]): Result {
  try {
    return check()
  } catch (error) {
    throw inCall(error, call, caller)
  }
}

/** What helps to say which name was meant. */
interface NameHints {
  /** The option that has these, where they are not the whole. */
  readonly parent?: string
  /** Names that are taken elsewhere before these are checked. */
  readonly others?: readonly string[]
  /** Says of some names where they belong. */
  belongs?(name: string): string | undefined
}

/** @throws TypeError for options that are no object, and for a name that is not among the known ones */
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

/** @throws TypeError for a value of another type; undefined passes */
export function checkType(name: string, value: unknown, type: 'boolean' | 'function'): void {
  if (value !== undefined && typeof value !== type) throw expected(name, `a ${type}`, value)
}

/** @throws TypeError for anything but a whole number from 1 on, or Infinity; undefined passes */
export function checkCount(name: string, value: unknown, unit: string): void {
  if (value === undefined || value === Infinity || isPositiveInteger(value)) return
  throw expected(name, `a whole number of ${unit} from 1 on, or Infinity`, value)
}

/** @throws TypeError for what a timer cannot wait for; undefined passes */
export function checkMilliseconds(name: string, value: unknown): void {
  if (value === undefined || (isPositiveInteger(value) && (value as number) < 2 ** 31)) return
  throw expected(name, 'a whole number of milliseconds from 1 to 2147483647', value)
}

/** @throws TypeError for what a close frame cannot hold (RFC 6455 §5.5) */
export function checkReason(reason: unknown): void {
  if (typeof reason === 'string' && Buffer.byteLength(reason) <= 123) return
  throw expected('reason', 'a string of at most 123 bytes (RFC 6455 §5.5)', reason)
}

/** Whether a value is an object with options. */
export const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Whether a value is a whole number from 1 on. */
export const isPositiveInteger = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) > 0

/**
 * The error for a wrong option: its name, what was expected and what it got.
 * @param meant what was probably meant, as code
 */
export function expected(name: string, what: string, value: unknown, meant?: string): TypeError {
  const near = meant ?? (what.includes('number') ? numberIn(value) : undefined)
  const hint = near === undefined ? '' : `; did you mean ${near}?`
  return optionError(`${name}: expected ${what}; got ${show(value)}${hint}`)
}
