/** A tab of a browser. */
export interface Tab {
  /** Opens a page and waits until it has loaded. */
  goTo(url: string): Promise<void>
  /** Evaluates an expression in the page, awaiting it if it is a promise. The value has to be JSON. */
  evaluate(expression: string): Promise<unknown>
  close(): Promise<void>
}

/** A browser, and its first tab; `close` ends all of it. It accepts any certificate. */
export interface Browser extends Tab {
  /** Opens another tab, with the same storage and cookies. */
  openTab(): Promise<Tab>
}

/** A browser that can lose its network. */
export interface OnlineBrowser extends Browser {
  /** Takes the network away from all tabs, and tells them so, or gives it back. */
  setOffline(isOffline: boolean): Promise<void>
}
