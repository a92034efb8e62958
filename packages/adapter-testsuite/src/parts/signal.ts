/** A promise with the function that resolves it. */
export interface Signal<Value = void> {
  /** The promise. */
  readonly given: Promise<Value>
  /** Resolves it. */
  give(value: Value): void
}

/** Makes a promise with the function that resolves it. */
export function signal<Value = void>(): Signal<Value> {
  let give: (value: Value) => void = () => {}
  const given = new Promise<Value>((resolve) => {
    give = resolve
  })
  return { given, give }
}
