import { lineBreak, showFault, showStack } from './show.ts'

/**
 * Tells the application of an error. Where its function throws, or rejects later, both errors are on stderr: it
 * ends neither the process nor what goes on here. Never throws.
 */
export function tell<Args extends unknown[]>(
  name: string,
  callback: (error: unknown, ...args: Args) => unknown,
  error: unknown,
  ...args: Args
): void {
  const fail = (fault: unknown): void => {
    process.stderr.write(`oneport: ${name} failed: ${showStack(fault)}${lineBreak}It was told of ${showFault(error)}\n`)
  }
  try {
    // Resolving calls `then` where there is one, and takes what that throws.
    const result = callback(error, ...args)
    if (typeof result === 'object' && result !== null) Promise.resolve(result).catch(fail)
  } catch (fault) {
    fail(fault)
  }
}
