/** What a framework reads of an error before it prints it. */
const read = ['name', 'message', 'code', 'status', 'statusCode', 'headers', 'expose', 'cause'] as const

/** Whether a framework can read a thrown value and print it: there are values that throw at that. */
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

/** A Proxy may throw when it is asked for its prototype. */
function isError(thrown: unknown): thrown is Error {
  try {
    return thrown instanceof Error
  } catch {
    return false
  }
}

/**
 * A thrown value as an `Error`, for frameworks that take other values for something else; itself where it is one that
 * can be printed. Never throws.
 */
export function asError(thrown: unknown): Error {
  if (!isPrintable(thrown)) return new Error('A value was thrown that cannot be printed')
  return isError(thrown) ? thrown : new Error('A value was thrown that is no Error', { cause: thrown })
}
