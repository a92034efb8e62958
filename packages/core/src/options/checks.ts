import { show } from '../show.ts'

/** @throws TypeError for options that are no object, and for a name that is not among the known ones */
export function checkNames(options: object, known: readonly string[]): void {
  if (!isObject(options)) throw expected('options', 'an object', options)
  const unknown = Object.keys(options).find((name) => !known.includes(name))
  if (unknown !== undefined) throw new TypeError(`Unknown option '${unknown}'. Known are: ${known.join(', ')}`)
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

/** Whether a value is an object with options. */
export const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Whether a value is a whole number from 1 on. */
export const isPositiveInteger = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) > 0

/** The error for a wrong option: its name, what was expected and what came. */
export const expected = (name: string, what: string, value: unknown): TypeError =>
  new TypeError(`${name}: expected ${what}; got ${show(value)}`)
