import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pack, packages, root, run, runBin, temporaryFolder } from './tarballs.ts'

// Package managers and compilers are slow on a busy machine.
jest.setTimeout(180_000)

const folder = join(temporaryFolder(), 'tarballs')
const tarballOf = (name: string): string => join(folder, `oneport-${name}.tgz`)
const leftover = join(root, 'packages/core/dist/gone.d.mts.map')

beforeAll(async () => {
  writeFileSync(leftover, '')
  await pack(folder)
})

afterAll(() => rmSync(leftover, { force: true }))

describe('npm run pack', () => {
  test('packs the packages that are not private', () => {
    expect(readdirSync(folder).sort()).toEqual(packages.map((name) => `oneport-${name}.tgz`))
  })

  test('removes compiled files whose source is gone', () => {
    expect(existsSync(leftover)).toBe(false)
  })
})

describe.each(packages)('the tarball of %s', (name) => {
  test('has the licence, the README, declarations and JavaScript, and nothing else', async () => {
    const files = (await run('tar', ['-tzf', tarballOf(name)])).trim().split(/\r?\n/)
    const [above, below] = [/^package\/[^/]+$/, /^package\/dist\/.*\.(?:[cm]?js|d\.[cm]?ts)$/]
    expect(files.filter((file) => above.test(file)).sort()).toEqual([
      'package/LICENSE',
      'package/README.md',
      // The cases for other implementations of the protocol.
      ...(name === 'topics' ? ['package/conformance.json'] : []),
      'package/package.json'
    ])
    expect(files.filter((file) => !above.test(file) && !below.test(file))).toEqual([])
    expect(files).toEqual(expect.arrayContaining(['package/dist/index.js', 'package/dist/index.d.ts']))
  })

  test('names its repository, and dependencies by versions that a registry knows', async () => {
    const manifest = JSON.parse(await run('tar', ['-xzOf', tarballOf(name), 'package/package.json']))
    expect(manifest).toMatchObject({
      license: 'MIT',
      repository: { directory: `packages/${name}` },
      publishConfig: { access: 'public', provenance: true }
    })
    expect(JSON.stringify(manifest)).not.toMatch(/"(?:workspace|catalog|file|link):/)
  })

  test('has entries that pass publint and Are The Types Wrong?', async () => {
    await runBin('publint', ['run', tarballOf(name), '--strict'])
    await runBin('@arethetypeswrong/cli', [tarballOf(name)])
  })
})
