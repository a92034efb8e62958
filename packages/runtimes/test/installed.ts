import { existsSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** A runtime installed from npm: a package with one optional dependency per platform. */
export interface Installed {
  readonly name: string
  /** Undefined if npm has no build for this platform. */
  readonly path: string | undefined
  /** Arguments before the program. */
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

/** The path of a file, relative to the folder of an installed package. */
function fileIn(name: string, file: string): string | undefined {
  const folder = join(__dirname, '..', 'node_modules', name)
  if (!existsSync(folder)) return undefined
  const path = join(dirname(join(realpathSync(folder), 'package.json')), file)
  return existsSync(path) ? path : undefined
}
