import { lineBreak, showFault, showStack } from './show.ts'

/**
 * Reports an error to the application. If its callback throws or rejects, both errors are logged to stderr: a faulty
 * callback must not end the process or the current delivery. Never throws.
 */
export function tell<Args extends unknown[]>(
  name: string,
  callback: (error: unknown, ...args: Args) => unknown,
  error: unknown,
  ...args: Args
): void {
  const fail = (fault: unknown): void => {
    process.stderr.write(
      `oneport: ${name} failed: ${showStack(fault)}${lineBreak}It was called with ${showFault(error)}\n`
    )
  }
  try {
    // `Promise.resolve` calls `then` if there is one, and catches what that throws.
    const result = callback(error, ...args)
    if (typeof result === 'object' && result !== null) Promise.resolve(result).catch(fail)
  } catch (fault) {
    fail(fault)
  }
}
