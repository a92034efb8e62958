/**
 * Prepares a release from the changes in .changeset: bumps the version of all public packages together, moves the texts
 * to the changelog, and adds the date. If the latest version in the changelog is "unreleased", it is the one to
 * release, and gets the texts added.
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import readChangesets from '@changesets/read'
import { publicPackages } from './public-packages.mjs'
import { readJson, root } from './root.mjs'

const groups = { major: 'Breaking changes', minor: 'Added and changed', patch: 'Fixed' }
const file = join(root, 'CHANGELOG.md')

/** A change as a list item that starts with its packages. */
function itemOf({ releases, summary }) {
  const names = releases.map(({ name }) => `\`${name}\``).join(', ')
  return `* ${names}: ${summary.trim()}`.replaceAll('\n', '\n  ').replaceAll(/ +$/gm, '')
}

/** The changes of a release, under the headings of the changelog. */
function textsOf(changes) {
  const order = Object.keys(groups)
  const typeOf = ({ releases }) => order.find((type) => releases.some((release) => release.type === type))
  return order
    .map((type) => [groups[type], changes.filter((change) => typeOf(change) === type)])
    .filter(([, items]) => items.length > 0)
    .map(([heading, items]) => `### ${heading}\n\n${items.map(itemOf).join('\n')}`)
}

/** Bumps all versions, and updates everything that depends on them. */
function raiseVersions() {
  const cli = createRequire(import.meta.url).resolve('@changesets/cli/bin.js')
  for (const args of [[cli, 'version'], [join(root, 'scripts/metadata.mjs')]]) {
    execFileSync(process.execPath, args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
  }
}

/** Pages that say that a version is not on npm yet, which becomes wrong with the release. */
function outdatedPages() {
  const inDocs = readdirSync(join(root, 'docs'), { recursive: true }).map((name) => `docs/${name}`)
  const readmes = publicPackages().map(({ directory }) => `${directory}/README.md`)
  return ['README.md', ...inDocs, ...readmes].filter(
    (page) => page.endsWith('.md') && /not\s+on\s+npm\s+yet/.test(readFileSync(join(root, page), 'utf8'))
  )
}

const outdated = outdatedPages()
if (outdated.length > 0) {
  process.stderr.write(`These pages say that a version is not on npm yet. Change them first: ${outdated.join(', ')}\n`)
  process.exit(1)
}

const currentVersion = () => readJson('packages/core/package.json').version
const today = new Date().toISOString().slice(0, 10)
const changes = await readChangesets(root)
const [head, ...sections] = readFileSync(file, 'utf8')
  .trimEnd()
  .split(/\n+(?=## )/)
const unreleased = / \(unreleased\)$/m

if (unreleased.test(sections[0])) {
  sections[0] = [sections[0].replace(unreleased, ` (${today})`), ...textsOf(changes)].join('\n\n')
  for (const { id } of changes) rmSync(join(root, '.changeset', `${id}.md`))
} else if (changes.length > 0) {
  raiseVersions()
  sections.unshift([`## ${currentVersion()} (${today})`, ...textsOf(changes)].join('\n\n'))
} else {
  process.stderr.write('There is nothing to release: .changeset has no changes.\n')
  process.exit(1)
}
writeFileSync(file, `${[head, ...sections].join('\n\n')}\n`)
process.stdout.write(
  `Commit this as "Release ${currentVersion()}". Once it is on main, its tag publishes it: v${currentVersion()}\n`
)
