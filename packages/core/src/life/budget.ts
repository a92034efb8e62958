/** How many messages a client may send, and in which time. */
export interface MessageBudget {
  /**
   * Number of messages that a client may send in `perMs`. Pings count too, because each gets an answer. The next one
   * closes the connection with 1008.
   */
  messages: number
  /**
   * Length of a window, in milliseconds. A new window starts with the first message after the previous one has ended.
   */
  perMs: number
}

/** What one connection has spent of its budget. */
export interface Spending {
  /** When the window started, by `performance.now()`. */
  windowFrom: number
  spent: number
}

/** Counts a message. Needs no timer and allocates nothing. @returns whether the message is within the budget */
export function spend(spending: Spending, { messages, perMs }: Readonly<MessageBudget>): boolean {
  const now = performance.now()
  if (now - spending.windowFrom >= perMs) {
    spending.windowFrom = now
    spending.spent = 0
  }
  return ++spending.spent <= messages
}
