/** How many are remembered. An application has few endpoints, each with its own options. */
const most = 16

/**
 * Remembers what was last made from which options, by their values. Options that are written in a route are a new object
 * for each request, and resolving them takes as long as the rest of a handshake.
 */
export class Recent<Options extends object, Made> {
  readonly #entries: { readonly options: unknown; readonly made: Made }[] = []

  /** @param make called if nothing was made from the same options lately; what it throws is not remembered */
  get(options: Options, make: (options: Options) => Made): Made {
    const known = this.#entries.find((entry) => isSame(entry.options, options))
    if (known !== undefined) return known.made
    // Copied before, because the application may change its own object later.
    const entry = { options: copyOf(options), made: make(options) }
    if (this.#entries.unshift(entry) > most) this.#entries.pop()
    return entry.made
  }
}

/** How deep options are nested: `perMessageDeflate.zlibDeflateOptions.level`. */
const levels = 3

/** Whether two values consist of the same ones. Functions, regular expressions and instances are compared by identity. */
function isSame(a: unknown, b: unknown, depth = levels): boolean {
  if (Object.is(a, b)) return true
  if (depth === 0 || !isPlain(a) || !isPlain(b) || Array.isArray(a) !== Array.isArray(b)) return false
  const names = Object.keys(a)
  if (names.length !== Object.keys(b).length) return false
  return names.every((name) => Object.hasOwn(b, name) && isSame(a[name], b[name], depth - 1))
}

function copyOf(value: unknown, depth = levels): unknown {
  if (depth === 0 || !isPlain(value)) return value
  const copy = Object.entries(value).map(([name, one]): [string, unknown] => [name, copyOf(one, depth - 1)])
  return Object.assign(Array.isArray(value) ? [] : {}, Object.fromEntries(copy))
}

/** Whether a value is an array or an object without a class. */
function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null || Array.isArray(value)
}
