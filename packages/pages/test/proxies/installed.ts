import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { environment } from './kinds.ts'

/**
 * Tells whether a program can be run here, and adds to the names of tests how to get it where it cannot.
 * With `CI=true` no test may be skipped.
 */
export function lookFor(program: string, debianPackage: string): { isInstalled: boolean; hint: string } {
  const { error } = spawnSync(program, ['--version'], { env: environment(tmpdir()) })
  if (error === undefined) return { isInstalled: true, hint: '' }
  const message = `${program} is not installed: apt-get install ${debianPackage}`
  if (process.env.CI === 'true') throw new Error(message)
  return { isInstalled: false, hint: ` (skipped, ${message})` }
}
