import { lineBreak, showFault, showStack } from './show.ts'

/**
 * Reports an error to the application. If its callback throws or rejects, both errors are logged to stderr: thrown into
 * a client, its error could end the process or break that client. Never throws.
 */
export function tell(callback: (error: unknown) => unknown, error: unknown): void {
  const fail = (fault: unknown): void => {
    process.stderr.write(
      `oneport: onError of postgresBackplane failed: ${showStack(fault)}${lineBreak}It was called with ${showFault(error)}\n`
    )
  }
  try {
    // `Promise.resolve` calls `then` if there is one, and catches what that throws.
    const result = callback(error)
    if (typeof result === 'object' && result !== null) Promise.resolve(result).catch(fail)
  } catch (fault) {
    fail(fault)
  }
}
