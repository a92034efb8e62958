/** Prints the section of the changelog for the version of the given tag (v0.1.0). */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './root.mjs'

const version = process.argv[2]?.replace(/^v/, '')
const sections = readFileSync(join(root, 'CHANGELOG.md'), 'utf8').split(/^(?=## )/m)
const section = sections.find((text) => text.startsWith(`## ${version} (`))
if (section === undefined) {
  process.stderr.write(`CHANGELOG.md has no version ${version}\n`)
  process.exitCode = 1
} else {
  process.stdout.write(`${section.slice(section.indexOf('\n')).trim()}\n`)
}
