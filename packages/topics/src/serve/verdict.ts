/** What the application has decided about a request. Only `true` allows it. */
export interface Verdict {
  readonly isAllowed: boolean
  /** What it has thrown instead. */
  readonly error?: unknown
}

/** Asks the application. Never throws, and its promise never rejects. */
export function ask(question: () => unknown): Verdict | Promise<Verdict> {
  try {
    const answer = question()
    if (typeof answer !== 'object' || answer === null) return { isAllowed: answer === true }
    return Promise.resolve<unknown>(answer).then((later) => ({ isAllowed: later === true }), failed)
  } catch (error) {
    return failed(error)
  }
}

const failed = (error: unknown): Verdict => ({ isAllowed: false, error: error ?? new Error(`thrown: ${error}`) })
