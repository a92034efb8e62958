import { existsSync } from 'node:fs'

/** A program of the system that tests run. */
export interface Program {
  readonly path: string
  /** The package of Debian that it comes in. */
  readonly aptPackage: string
}

/** A `describe` whose tests run a program. Without it they are skipped, and say how to get it; with CI=true they fail. */
export function describeWith({ path, aptPackage }: Program, name: string, tests: () => void): void {
  if (existsSync(path) || process.env.CI === 'true') {
    describe(name, tests)
    return
  }
  const howToGetIt = `apt-get install ${aptPackage}`
  process.stderr.write(`Skipped: ${name}. It needs ${path}; on Debian: ${howToGetIt}\n`)
  describe.skip(`${name} (${howToGetIt})`, tests)
}
