/**
 * Publishes the tarballs of `npm run pack`, which the tests have installed, as the version of the given tag (v0.1.0).
 * Skips packages that are already published, so that an interrupted release can be continued. Passes further options to
 * `npm publish`.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { npmCommand } from './pnpm.mjs'
import { publicPackages } from './public-packages.mjs'
import { root } from './root.mjs'

const [tag, ...options] = process.argv.slice(2)

function npm(args, settings) {
  const [command, ...first] = npmCommand('npm')
  return execFileSync(command, [...first, ...args], settings)
}

/** Whether the registry has a version. */
function isPublished({ name, version }) {
  try {
    return npm(['view', `${name}@${version}`, 'version'], { stdio: 'pipe' }).length > 0
  } catch {
    return false
  }
}

/** @throws if the tag is not the version of all packages, or not the latest version in the changelog */
function check(packages) {
  const [, version, date] = /^## (\S+) \((.+)\)$/m.exec(readFileSync(join(root, 'CHANGELOG.md'), 'utf8'))
  const others = packages.filter(({ manifest }) => `v${manifest.version}` !== tag).map(({ directory }) => directory)
  if (`v${version}` !== tag) others.push('CHANGELOG.md')
  if (others.length > 0) throw new Error(`Not the version of the tag ${tag}: ${others.join(', ')}`)
  if (!/^\d{4}-\d\d-\d\d$/.test(date)) throw new Error(`CHANGELOG.md says that ${version} is ${date}`)
}

try {
  const packages = publicPackages()
  check(packages)
  for (const { manifest, tarball } of packages) {
    if (isPublished(manifest)) {
      process.stdout.write(`${manifest.name} ${manifest.version} is already published.\n`)
    } else {
      npm(['publish', join(root, 'tarballs', tarball), ...options], { stdio: 'inherit' })
    }
  }
} catch (error) {
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
}
