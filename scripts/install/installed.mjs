import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readJson, root } from '../root.mjs'

/** Written by an installation that is complete: what it was for, and a hash of what it was made from. */
export const stampFile = join(root, 'node_modules', '.oneport-installed')

/** pnpm's own record. */
const modulesFile = join(root, 'node_modules', '.modules.yaml')

const read = (file) => {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

/**
 * The last installation that is complete.
 * @returns {{ scope?: 'demo' | 'everything', isCurrent: boolean }} no scope if there is none
 */
export function lastInstallation() {
  const [scope, hash] = read(stampFile).split(' ')
  return scope === '' ? { isCurrent: false } : { scope, isCurrent: hash === currentHash() }
}

export const markStarted = () => rmSync(stampFile, { force: true })

export const markComplete = (scope) => writeFileSync(stampFile, `${scope} ${currentHash()}`)

/** Whether anything was installed together with what only development needs. */
export const hasDevelopmentDependencies = () => /"?devDependencies"?: true/.test(read(modulesFile))

/** Whether each dependency of a package and of those of ours that it needs is in its place. */
export function hasDependencies(folder) {
  return Object.keys(readJson(`${folder}/package.json`).dependencies ?? {}).every(
    (name) =>
      existsSync(join(root, folder, 'node_modules', name)) &&
      (!name.startsWith('@oneport/') || hasDependencies(name.replace('@oneport', 'packages')))
  )
}

/** The hash covers the platform, because folders are shared with containers and esbuild has a binary for each. */
function currentHash() {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}\n`)
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml']) hash.update(readFileSync(join(root, file)))
  for (const manifest of manifests(root)) hash.update(JSON.stringify(dependenciesIn(manifest)))
  return hash.digest('hex')
}

/** Other fields, such as scripts, can change without an installation. */
function dependenciesIn(manifest) {
  const fields = Object.entries(JSON.parse(readFileSync(manifest, 'utf8')))
  return fields.filter(([name]) => /dependencies|^packageManager$/i.test(name))
}

function* manifests(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name === 'package.json') yield join(folder, entry.name)
    const isSource = entry.isDirectory() && !/^(?:\.|node_modules$|dist$|coverage$)/.test(entry.name)
    if (isSource) yield* manifests(join(folder, entry.name))
  }
}
