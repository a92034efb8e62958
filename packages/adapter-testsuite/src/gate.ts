/** What an application can wait for, and a case can open. */
export interface Gate {
  /** Resolves when somebody has come to it. */
  readonly arrived: Promise<void>
  open(): void
  /** Comes to it; resolves when it is open. */
  enter(): Promise<void>
}

export function makeGate(): Gate {
  const [arrival, opening] = [makeSignal(), makeSignal()]
  return {
    arrived: arrival.given,
    open: opening.give,
    enter: () => {
      arrival.give()
      return opening.given
    }
  }
}

/** A promise, and the function that resolves it. */
export interface Signal {
  readonly given: Promise<void>
  give(): void
}

export function makeSignal(): Signal {
  let resolve = (): void => {}
  const given = new Promise<void>((settle) => {
    resolve = settle
  })
  return { given, give: () => resolve() }
}
