import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'

const store = join(__dirname, '../../../node_modules/.pnpm')

/** The folders of all versions of all installed packages, except those of the workspace. */
function installed(): Map<string, string[]> {
  const folders = new Map<string, string[]>()
  const note = (parent: string, scope = '') => {
    for (const entry of readdirSync(parent, { withFileTypes: true })) {
      const name = `${scope}${entry.name}`
      if (entry.isDirectory() && name.startsWith('@') && scope === '') note(join(parent, name), `${name}/`)
      else if (entry.isDirectory()) folders.set(name, [...(folders.get(name) ?? []), join(parent, entry.name)])
    }
  }
  for (const entry of readdirSync(store, { withFileTypes: true })) {
    if (entry.isDirectory() && entry.name !== 'node_modules') note(join(store, entry.name, 'node_modules'))
  }
  return folders
}

/**
 * Packs an installed package again. In pnpm's store, files with the same content are hard links. tar would pack them as
 * links, which npm does not unpack, so a copy is packed.
 */
async function pack(folder: string): Promise<Buffer> {
  const copy = mkdtempSync(join(tmpdir(), 'oneport-pack-'))
  try {
    const isOwn = (path: string) => path === folder || basename(path) !== 'node_modules'
    cpSync(folder, join(copy, 'package'), { recursive: true, filter: isOwn })
    return await new Promise((resolve, reject) => {
      const options = { cwd: copy, encoding: 'buffer', maxBuffer: Number.POSITIVE_INFINITY } as const
      const args = ['-czf', '-', 'package']
      execFile('tar', args, options, (error, stdout) => (error === null ? resolve(stdout) : reject(error)))
    })
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

const manifestOf = (folder: string): { version: string } =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))

/**
 * A registry on loopback with the packages that are installed in this workspace, so that tests need no network. It
 * answers 404 for everything else, including Oneport's own packages, because they are not published yet.
 */
export class Registry {
  readonly #server: Server
  readonly #folders = installed()

  private constructor() {
    this.#server = createServer(async ({ url = '' }, response) => {
      const [name = '', tarball] = decodeURIComponent(url).slice(1).split('/-/')
      const folders = this.#folders.get(name) ?? []
      const body = tarball === undefined ? this.#describe(name, folders) : await this.#pack(tarball, folders)
      response.writeHead(body === undefined ? 404 : 200).end(body ?? '{}')
    })
  }

  static async start(): Promise<Registry> {
    const registry = new Registry()
    await once(registry.#server.listen(0, '127.0.0.1'), 'listening')
    return registry
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await once(this.#server.close(), 'close')
  }

  /** All versions of a package, as a registry lists them. */
  #describe(name: string, folders: readonly string[]): string | undefined {
    const versions = folders.map((folder) => {
      const manifest = manifestOf(folder)
      return { ...manifest, dist: { tarball: `${this.url}${name}/-/${manifest.version}.tgz` } }
    })
    const latest = versions.at(-1)?.version
    if (latest === undefined) return
    const byVersion = Object.fromEntries(versions.map((each) => [each.version, each]))
    return JSON.stringify({ name, 'dist-tags': { latest }, versions: byVersion })
  }

  async #pack(tarball: string, folders: readonly string[]): Promise<Buffer | undefined> {
    const folder = folders.find((folder) => `${manifestOf(folder).version}.tgz` === tarball)
    return folder === undefined ? undefined : await pack(folder)
  }
}
