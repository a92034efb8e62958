/** A browser with one tab. It accepts any certificate. */
export interface Browser {
  /** Opens a page and waits until it has loaded. */
  goTo(url: string): Promise<void>
  /** Evaluates an expression in the page, awaiting it if it is a promise. The value has to be JSON. */
  evaluate(expression: string): Promise<unknown>
  close(): Promise<void>
}
