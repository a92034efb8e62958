import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { readJson, root } from './root.mjs'

/**
 * The packages that are published, which are those without `private`: folder, package.json, name of the tarball, and
 * names of the packages that it depends on, directly and indirectly. Each package is listed after its dependencies.
 */
export function publicPackages() {
  const packages = readdirSync(join(root, 'packages'))
    .map((folder) => `packages/${folder}`)
    .filter((directory) => existsSync(join(root, directory, 'package.json')))
    .map((directory) => ({ directory, manifest: readJson(`${directory}/package.json`) }))
    .filter(({ manifest }) => !manifest.private)

  const neededBy = ({ dependencies, peerDependencies }) => {
    const direct = packages.filter(({ manifest: { name } }) => name in { ...dependencies, ...peerDependencies })
    return [...new Set(direct.flatMap(({ manifest }) => [...neededBy(manifest), manifest.name]))]
  }
  return packages
    .map((each) => ({ ...each, tarball: tarballOf(each.manifest.name), needed: neededBy(each.manifest) }))
    .sort((one, other) => one.needed.length - other.needed.length)
}

/** The name of a package's tarball, which is the same for all versions. */
export const tarballOf = (name) => `${name.replace('@', '').replace('/', '-')}.tgz`
