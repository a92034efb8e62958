import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = join(dirname(fileURLToPath(import.meta.url)), '..')

export const readJson = (file) => JSON.parse(readFileSync(join(root, file), 'utf8'))

/** @returns the packages that are published, which are those without `private`: their folder and package.json */
export function publicPackages() {
  return readdirSync(join(root, 'packages'))
    .map((folder) => `packages/${folder}`)
    .filter((directory) => existsSync(join(root, directory, 'package.json')))
    .map((directory) => ({ directory, manifest: readJson(`${directory}/package.json`) }))
    .filter(({ manifest }) => !manifest.private)
}
