import { once } from 'node:events'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { pack, packages, root, run, temporaryFolder } from './tarballs.ts'

// Package managers and compilers are slow on a busy machine.
jest.setTimeout(180_000)

/** The body that `npm publish` sends. */
interface Publication {
  readonly name: string
  readonly access: string
  readonly 'dist-tags': Readonly<Record<string, string>>
  readonly versions: Readonly<Record<string, { readonly version: string }>>
  readonly _attachments: Readonly<Record<string, { readonly data: string }>>
}

const folder = temporaryFolder()
const { version } = JSON.parse(readFileSync(join(root, 'packages/core/package.json'), 'utf8')) as { version: string }
const published = new Map<string, Publication>()

/** A registry on loopback that stores published packages, and lists them. */
const registry = createServer(async (request, response) => {
  const [, name = ''] = /^\/(@oneport\/[\w-]+)$/.exec(decodeURIComponent(request.url ?? '')) ?? []
  if (request.method === 'PUT') {
    published.set(name, (await json(request)) as Publication)
    response.writeHead(201).end('{}')
  } else {
    response.writeHead(published.has(name) ? 200 : 404).end(JSON.stringify(published.get(name) ?? {}))
  }
})

const changelog = (line: string): void => writeFileSync(join(folder, 'CHANGELOG.md'), `# Changelog\n\n## ${line}\n`)

const publish = (tag: string): Promise<string> =>
  // Only a workflow can prove the provenance of a tarball.
  run(process.execPath, [join(folder, 'scripts/publish.mjs'), tag, '--no-provenance'], {
    cwd: folder,
    env: { npm_config_userconfig: join(folder, '.npmrc'), npm_config_cache: join(folder, 'cache') }
  })

beforeAll(async () => {
  for (const name of packages) {
    mkdirSync(join(folder, 'packages', name), { recursive: true })
    cpSync(join(root, 'packages', name, 'package.json'), join(folder, 'packages', name, 'package.json'))
  }
  cpSync(join(root, 'scripts'), join(folder, 'scripts'), { recursive: true })
  await Promise.all([pack(join(folder, 'tarballs')), once(registry.listen(0, '127.0.0.1'), 'listening')])
  const place = `127.0.0.1:${(registry.address() as AddressInfo).port}/`
  writeFileSync(
    join(folder, '.npmrc'),
    `registry=http://${place}\n//${place}:_authToken=secret\nupdate-notifier=false\n`
  )
})

beforeEach(() => {
  published.clear()
  changelog(`${version} (2026-01-02)`)
})

afterAll(() => {
  registry.closeAllConnections()
  registry.close()
})

describe('the script that publishes', () => {
  test('publishes all tarballs unchanged, each after those that it depends on', async () => {
    await publish(`v${version}`)
    const names = [...published.keys()].map((name) => name.replace('@oneport/', ''))
    expect([...names].sort()).toEqual(packages)
    expect(names.indexOf('core')).toBeLessThan(names.indexOf('express'))
    expect(names.indexOf('topics')).toBeLessThan(names.indexOf('redis'))
    for (const [name, publication] of published) {
      const tarball = readFileSync(join(folder, 'tarballs', `${name.replace('@', '').replace('/', '-')}.tgz`))
      expect(Object.values(publication._attachments)[0]?.data).toBe(tarball.toString('base64'))
      expect(publication).toMatchObject({ access: 'public', 'dist-tags': { latest: version } })
    }
  })

  test('publishes only the missing packages if a release was interrupted', async () => {
    const listed = { 'dist-tags': { latest: version } }
    for (const name of packages.filter((each) => each !== 'redis')) {
      const versions = { [version]: { name: `@oneport/${name}`, version } }
      published.set(`@oneport/${name}`, { ...listed, name, access: 'public', versions, _attachments: {} })
    }
    expect(await publish(`v${version}`)).toContain(`@oneport/core ${version} is already published.\n`)
    const sent = [...published.values()].filter(({ _attachments }) => Object.keys(_attachments).length > 0)
    expect(sent.map(({ name }) => name)).toEqual(['@oneport/redis'])
  })

  test.each([
    [
      'another version',
      'v9.9.9',
      `${version} (2026-01-02)`,
      'Not the version of the tag v9.9.9: packages/client, packages/core, '
    ],
    [
      'a changelog without it',
      `v${version}`,
      '9.9.9 (2026-01-02)',
      `Not the version of the tag v${version}: CHANGELOG.md`
    ],
    ['a changelog without its date', `v${version}`, `${version} (unreleased)`, `says that ${version} is unreleased`]
  ])('publishes nothing with %s', async (_mistake, tag, line, message) => {
    changelog(line)
    await expect(publish(tag)).rejects.toThrow(message)
    expect(published.size).toBe(0)
  })
})
