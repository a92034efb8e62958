import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../root.mjs'

/** Written by a finished installation; it tells what was installed. */
export const stampFile = join(root, 'node_modules', '.oneport-installed')

/** Where pnpm keeps what it has installed. */
const modulesFile = join(root, 'node_modules', '.modules.yaml')

const read = (file) => {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

/** Whether anything was ever installed here. */
export const isFirst = () => read(modulesFile) === ''

/** Whether the last installation had everything in it, not only what the demo needs. */
export const hasEverything = () => /"?devDependencies"?: true/.test(read(modulesFile))

/** Whether what is installed is what the files of this repository ask for. */
export const isUpToDate = () => read(stampFile) === stamp()

export const markStarted = () => rmSync(stampFile, { force: true })

export const markFinished = () => writeFileSync(stampFile, stamp())

/**
 * A hash of what decides about an installation. The binaries of esbuild are those of one platform: folders are shared with
 * containers, and with Windows.
 */
function stamp() {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}\n`)
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml']) hash.update(readFileSync(join(root, file)))
  for (const manifest of manifests(root)) hash.update(JSON.stringify(dependenciesIn(manifest)))
  return hash.update(read(modulesFile)).digest('hex')
}

/** Other fields, such as scripts, may change without an installation. */
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
