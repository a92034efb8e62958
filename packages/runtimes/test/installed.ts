import { existsSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** A runtime from npm. Its package has a package for each platform, of which the right one is installed. */
export interface Installed {
  readonly name: string
  /** Undefined where there is none for this platform. */
  readonly path: string | undefined
  /** What stands in front of the program. */
  readonly args: readonly string[]
}

const { arch, platform } = process
const bunArch = arch === 'arm64' ? 'aarch64' : arch
const denoLibrary = platform === 'linux' ? '-glibc' : ''

export const installed: readonly Installed[] = [
  ...[20, 22, 24, 26].map((major) => ({
    name: `Node ${major}`,
    path: fileIn(`node-${major}-${platform}-${arch}`, 'bin/node'),
    args: []
  })),
  {
    name: 'Deno',
    path: fileIn('deno', `../@deno/${platform}-${arch}${denoLibrary}/deno`),
    args: ['run', '--allow-all', '--quiet', '--no-prompt']
  },
  { name: 'Bun', path: fileIn('bun', `../@oven/bun-${platform}-${bunArch}/bin/bun`), args: [] }
]

/** A file of a package, or beside it. */
function fileIn(name: string, file: string): string | undefined {
  const folder = join(__dirname, '..', 'node_modules', name)
  if (!existsSync(folder)) return undefined
  const path = join(dirname(join(realpathSync(folder), 'package.json')), file)
  return existsSync(path) ? path : undefined
}
