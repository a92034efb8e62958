/**
 * Packs the public packages as they would be published, into `tarballs` or the given folder, and prints how to install
 * them in an application.
 */
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { bundleClient } from './bundle-client.mjs'
import { pnpm } from './pnpm.mjs'
import { publicPackages, tarballOf } from './public-packages.mjs'
import { root } from './root.mjs'

const packages = publicPackages()
const folder = resolve(root, process.argv[2] ?? 'tarballs')

/** Removes compiled files of an earlier build whose sources no longer exist. */
function removeLeftovers(directory) {
  const [src, dist] = [join(root, directory, 'src'), join(root, directory, 'dist')]
  for (const file of readdirSync(dist, { recursive: true })) {
    const source = file.replace(/(?:\.d)?\.([cm]?)[jt]s(?:\.map)?$/, '.$1ts')
    // The bundle has no source of its own.
    const isBundle = file.endsWith('.min.js')
    if (source !== file && !isBundle && !existsSync(join(src, source))) rmSync(join(dist, file))
  }
}

try {
  for (const { directory, manifest } of packages) {
    if (!existsSync(join(root, directory, manifest.main))) {
      throw new Error(`${directory} is not built. Build and pack all packages with: npm run pack`)
    }
    removeLeftovers(directory)
  }
  // Programs of this repository are compiled without it.
  await bundleClient()
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  const filters = packages.map(({ manifest }) => `--filter=${manifest.name}`)
  await pnpm('--recursive', ...filters, 'pack', '--out', join(folder, '%s.tgz'))

  const quoted = (path) => (/[^\w@%+:,./\\-]/.test(path) ? `"${path}"` : path)
  const lines = packages.map(({ needed, tarball }) => {
    const paths = [...needed.map(tarballOf), tarball].map((file) => quoted(join(folder, file)))
    return `  npm install ${paths.join(' ')}\n`
  })
  process.stdout.write(`Packed ${packages.length} packages into ${folder}

Run one of these lines in your application. A package is installed together with those of Oneport that it needs:

${lines.join('')}
packages/express/README.md and packages/fastify/README.md say what pnpm and Yarn need.
`)
} catch (error) {
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
}
