// An old Node has to be able to read this file; the others are imported once the version is known to do.
import { readFileSync } from 'node:fs'

/**
 * Whether this Node is as new as package.json asks for.
 *
 * Says what was found and what is needed where it is not, and sets the exit code.
 */
export function isNodeNewEnough() {
  const { engines } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  const needed = Number(/\d+/.exec(engines.node)[0])
  const found = process.versions.node
  if (Number(found.split('.')[0]) >= needed) return true
  process.stderr.write(
    `Oneport needs Node ${needed} or later. This is Node ${found}, at ${process.execPath}.\n` +
      'Install a newer one from https://nodejs.org, or with your version manager (nvm install --lts), and try again.\n'
  )
  process.exitCode = 1
  return false
}
