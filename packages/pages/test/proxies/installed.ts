import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { environment } from './kinds.ts'

/**
 * Checks whether a program is installed. If it is not, returns a hint for the names of tests how to get it. With
 * `CI=true` it throws, because no test may be skipped.
 */
export function lookFor(program: string, debianPackage: string): { isInstalled: boolean; hint: string } {
  const { error } = spawnSync(program, ['--version'], { env: environment(tmpdir()) })
  if (error === undefined) return { isInstalled: true, hint: '' }
  const message = `${program} is not installed: apt-get install ${debianPackage}`
  if (process.env.CI === 'true') throw new Error(message)
  return { isInstalled: false, hint: ` (skipped, ${message})` }
}
