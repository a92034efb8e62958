/** Holds back whoever passes, while it is closed. */
export class Gate {
  #opened: Promise<void> = Promise.resolve()
  #open: (() => void) | undefined

  get opened(): Promise<void> {
    return this.#opened
  }

  close(): void {
    if (this.#open !== undefined) return
    this.#opened = new Promise((resolve) => {
      this.#open = resolve
    })
  }

  open(): void {
    this.#open?.()
    this.#open = undefined
  }
}
