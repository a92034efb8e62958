/** How many messages a client may send. */
export interface MessageBudget {
  /** Messages that are taken in each `perMs`; one more closes the connection. Pings count too: each one is answered. */
  messages: number
  /** In milliseconds. A window begins with the first message after the last one has ended. */
  perMs: number
}

/** What one connection has spent. */
export interface Spending {
  /** Begin of the window, by `performance.now()`. */
  windowFrom: number
  spent: number
}

/** Whether one more message is within the budget; it is counted. Takes no timer and allocates nothing. */
export function spend(spending: Spending, { messages, perMs }: Readonly<MessageBudget>): boolean {
  const now = performance.now()
  if (now - spending.windowFrom >= perMs) {
    spending.windowFrom = now
    spending.spent = 0
  }
  return ++spending.spent <= messages
}
