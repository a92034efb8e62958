import { lineBreak, showFault, showStack } from './show.ts'

/**
 * Tells the application of an error. Where its function throws, or rejects later, both errors are on stderr: thrown
 * into a client, it would end the process or what goes on there. Never throws.
 */
export function tell(callback: (error: unknown) => unknown, error: unknown): void {
  const fail = (fault: unknown): void => {
    process.stderr.write(
      `oneport: onError of redisBackplane failed: ${showStack(fault)}${lineBreak}It was told of ${showFault(error)}\n`
    )
  }
  try {
    // Resolving calls `then` where there is one, and takes what that throws.
    const result = callback(error)
    if (typeof result === 'object' && result !== null) Promise.resolve(result).catch(fail)
  } catch (fault) {
    fail(fault)
  }
}
