import { existsSync } from 'node:fs'
import type { Program } from '@oneport/kit'

/**
 * A `describe` for tests that run a program. Without the program they are skipped and say how to install it; with
 * CI=true they fail.
 */
export function describeWith({ path, aptPackage }: Program, name: string, tests: () => void): void {
  if (existsSync(path) || process.env.CI === 'true') {
    describe(name, tests)
    return
  }
  const howToGetIt = `apt-get install ${aptPackage}`
  process.stderr.write(`Skipped: ${name}. It needs ${path}; on Debian: ${howToGetIt}\n`)
  describe.skip(`${name} (${howToGetIt})`, tests)
}
