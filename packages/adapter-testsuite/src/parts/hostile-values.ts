const fail = (): never => {
  throw new Error('This value cannot be read')
}

const hostileHandler = Object.fromEntries(
  Object.getOwnPropertyNames(Reflect).map((name) => [name, fail])
) as ProxyHandler<Error>

/** An error with one property that cannot be read. */
const without = (name: string): Error => Object.defineProperty(new Error('broken'), name, { get: fail })

/** Values other than errors that a program may throw, with names for tests. */
export const nonErrors: [name: string, value: unknown][] = [
  ['undefined', undefined],
  ['null', null],
  ['false', false],
  ['an empty string', ''],
  ['the word route', 'route'],
  ['the word router', 'router'],
  ['a bigint', 1n]
]

/** Values that a program may throw and that are hard to handle, with names for tests. */
export const hostileValues: [name: string, value: unknown][] = [
  ...nonErrors,
  ['a symbol', Symbol('thrown')],
  ['an object without a prototype', Object.create(null)],
  ['an object that cannot be printed', { toString: fail }],
  ['an error without a readable stack', without('stack')],
  ['an error without a readable message', without('message')],
  ['an error without a readable status', without('statusCode')],
  ['a Proxy that refuses everything', new Proxy(new Error('broken'), hostileHandler)]
]
