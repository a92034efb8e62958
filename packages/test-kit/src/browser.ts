/** A browser with one tab. It takes every certificate. */
export interface Browser {
  /** Loads a page and waits until it is there. */
  goTo(url: string): Promise<void>
  /** The value of an expression, or of its promise, in the page; it has to be one that JSON can write. */
  evaluate(expression: string): Promise<unknown>
  close(): Promise<void>
}
