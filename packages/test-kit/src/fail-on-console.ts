/** Output that the test has not claimed: on the console, or lines from Oneport on stderr. */
let printed: string[] = []

const methods = ['debug', 'error', 'info', 'log', 'warn'] as const

beforeEach(() => {
  printed = []
  for (const method of methods) {
    jest.spyOn(console, method).mockImplementation((...values: unknown[]) => {
      printed.push(`console.${method}: ${values.map(String).join(' ')}`)
    })
  }
  const write = process.stderr.write.bind(process.stderr)
  jest.spyOn(process.stderr, 'write').mockImplementation((chunk, ...rest) => {
    if (!String(chunk).startsWith('oneport: ')) return write(chunk as string, ...(rest as []))
    printed.push(String(chunk).trimEnd())
    return true
  })
})

afterEach(() => {
  jest.restoreAllMocks()
  if (printed.length > 0) throw new Error(`The test printed something unexpected:\n${printed.join('\n')}`)
})

/** Returns what the test has printed so far and marks it as expected. */
export function takePrinted(): string[] {
  const taken = printed
  printed = []
  return taken
}
