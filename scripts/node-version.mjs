// An old Node has to be able to parse this file. The others are imported once the version has been checked.
import { readFileSync } from 'node:fs'

/**
 * Whether this Node is new enough for package.json. If not, prints what was found and what is needed, and sets the exit code.
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
