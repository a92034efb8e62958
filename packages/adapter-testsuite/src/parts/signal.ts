/** A promise with the function that resolves it. */
export interface Signal<Value = void> {
  readonly given: Promise<Value>
  give(value: Value): void
}

export function signal<Value = void>(): Signal<Value> {
  let give: (value: Value) => void = () => {}
  const given = new Promise<Value>((resolve) => {
    give = resolve
  })
  return { given, give }
}
