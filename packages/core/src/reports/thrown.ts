/** Properties that frameworks read before they print an error. */
const read = ['name', 'message', 'code', 'status', 'statusCode', 'headers', 'expose', 'cause'] as const

/** Whether a framework can read and print a thrown value. Some values throw when that is tried. */
export function isPrintable(thrown: unknown): boolean {
  try {
    if (typeof thrown === 'symbol') return true
    const { stack = undefined } = (thrown ?? {}) as { stack?: unknown }
    if (typeof thrown === 'object' || typeof thrown === 'function') {
      for (const name of read) void (thrown as Record<string, unknown> | null)?.[name]
    }
    return typeof `${stack}${thrown}` === 'string'
  } catch {
    return false
  }
}

/** `instanceof` that never throws: a Proxy may throw when its prototype is read. */
function isError(thrown: unknown): thrown is Error {
  try {
    return thrown instanceof Error
  } catch {
    return false
  }
}

/**
 * Turns a thrown value into an `Error`, because frameworks may mistake other values for something else. An `Error` that
 * can be printed is returned as it is. Never throws.
 */
export function asError(thrown: unknown): Error {
  if (!isPrintable(thrown)) return new Error('A value was thrown that cannot be printed')
  return isError(thrown) ? thrown : new Error('A value was thrown that is not an Error', { cause: thrown })
}
