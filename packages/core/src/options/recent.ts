/** How many are remembered. An application has few endpoints, each with its own options. */
const most = 16

/**
 * Remembers what was last made from which options, by their values, because options that are written in a route are a
 * new object for each request. Options with functions or instances are not remembered: a function that is written in a
 * route is a new one too, and may refer to the request.
 */
export class Recent<Options extends object, Made> {
  readonly #entries: { readonly options: unknown; readonly made: Made }[] = []

  /** @param make called if nothing was made from the same options lately; what it throws is not remembered */
  get(options: Options, make: (options: Options) => Made): Made {
    const known = this.#entries.find((entry) => isSame(entry.options, options))
    if (known !== undefined) return known.made
    const made = make(options)
    // A copy, because the application may change its own object later.
    if (isData(options) && this.#entries.unshift({ options: copyOf(options), made }) > most) {
      this.#entries.pop()
    }
    return made
  }
}

/** How deep options are nested: `perMessageDeflate.zlibDeflateOptions.level`. */
const levels = 3

/** Whether a value consists of primitive values, in lists and objects without a class. */
function isData(value: unknown, depth = levels): boolean {
  if (typeof value === 'function' || typeof value === 'symbol') return false
  if (typeof value !== 'object' || value === null) return true
  return depth > 0 && isPlain(value) && Object.values(value).every((one) => isData(one, depth - 1))
}

/** Copies data. Not with `structuredClone`, whose copies belong to another realm if there are several. */
function copyOf(data: unknown): unknown {
  if (!isPlain(data)) return data
  if (Array.isArray(data)) return data.map(copyOf)
  return Object.fromEntries(Object.entries(data).map(([name, value]) => [name, copyOf(value)]))
}

/** Whether data is the same as another value. */
function isSame(data: unknown, value: unknown): boolean {
  if (Object.is(data, value)) return true
  if (!isPlain(data) || !isPlain(value) || Array.isArray(data) !== Array.isArray(value)) return false
  const names = Object.keys(data)
  if (names.length !== Object.keys(value).length) return false
  return names.every((name) => Object.hasOwn(value, name) && isSame(data[name], value[name]))
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null || Array.isArray(value)
}
