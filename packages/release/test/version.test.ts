import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { packages, root, temporaryFolder } from './tarballs.ts'

const base = temporaryFolder()
let folder: string

const read = (file: string): string => readFileSync(join(folder, file), 'utf8')
const write = (file: string, text: string): void => {
  mkdirSync(dirname(join(folder, file)), { recursive: true })
  writeFileSync(join(folder, file), text)
}
const versionOf = (name: string): string => JSON.parse(read(`packages/${name}/package.json`)).version
const run = (script = 'version', ...args: string[]) =>
  spawnSync(process.execPath, [join(folder, `scripts/${script}.mjs`), ...args], { cwd: folder, encoding: 'utf8' })
const today = (): string => new Date().toISOString().slice(0, 10)

/** A copy of the files that a release needs, with a changelog and changesets for the test. */
beforeEach(() => {
  folder = join(base, `${readdirSync(base).length}`)
  for (const file of ['package.json', 'pnpm-workspace.yaml', '.changeset/config.json', 'scripts']) {
    cpSync(join(root, file), join(folder, file), { recursive: true })
  }
  const files = readdirSync(join(root, 'packages')).map((name) => `packages/${name}/package.json`)
  for (const file of files.filter((each) => existsSync(join(root, each)))) {
    cpSync(join(root, file), join(folder, file), { recursive: true })
    write(file, read(file).replace(/"version": "0\.[1-9].*"/, '"version": "0.1.0"'))
  }
  write('packages/core/src/version.ts', "export const version = '0.1.0'\n")
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'junction')
  for (const page of ['README.md', 'docs/start.md', ...packages.map((name) => `packages/${name}/README.md`)]) {
    write(page, '# Page\n')
  }
  write('CHANGELOG.md', '# Changelog\n\nHead.\n\n## 0.1.0 (2026-01-02)\n\n### Added\n\n* All.\n')
})

const added = (): void => write('.changeset/blue.md', "---\n'@oneport/core': minor\n---\n\nAn option.\n")
const fixed = (): void =>
  write(
    '.changeset/red.md',
    "---\n'@oneport/express': patch\n'@oneport/fastify': patch\n---\n\nA fix.\n\nMore of it.\n"
  )

describe('npm run changeset:version', () => {
  test('raises the version of all public packages together, and of no other', () => {
    added()
    const before = versionOf('demo')
    const { status, stderr } = run()
    expect([status, stderr]).toEqual([0, ''])
    expect(packages.map(versionOf)).toEqual(packages.map(() => '0.2.0'))
    expect(versionOf('demo')).toBe(before)
    expect(read('packages/core/src/version.ts')).toBe("export const version = '0.2.0'\n")
  })

  test('leaves the ranges between the packages to pnpm', () => {
    fixed()
    const before = read('packages/express/package.json')
    run()
    expect(read('packages/express/package.json')).toBe(before.replace('"0.1.0"', '"0.1.1"'))
  })

  test('moves the texts into the changelog', () => {
    added()
    fixed()
    expect(run().stdout).toContain('"Release 0.2.0"')
    expect(read('CHANGELOG.md')).toBe(`# Changelog

Head.

## 0.2.0 (${today()})

### Added and changed

* \`@oneport/core\`: An option.

### Fixed

* \`@oneport/express\`, \`@oneport/fastify\`: A fix.

  More of it.

## 0.1.0 (2026-01-02)

### Added

* All.
`)
    expect(readdirSync(join(folder, '.changeset'))).toEqual(['config.json'])
    expect(readdirSync(join(folder, 'packages/core'))).not.toContain('CHANGELOG.md')
  })

  test('dates an unreleased version, and adds the changes since then', () => {
    write('CHANGELOG.md', '# Changelog\n\n## 0.1.0 (unreleased)\n\n### Added\n\n* All.\n')
    fixed()
    expect(run().stdout).toContain('"Release 0.1.0"')
    expect(versionOf('core')).toBe('0.1.0')
    expect(read('CHANGELOG.md')).toBe(`# Changelog

## 0.1.0 (${today()})

### Added

* All.

### Fixed

* \`@oneport/express\`, \`@oneport/fastify\`: A fix.

  More of it.
`)
    expect(readdirSync(join(folder, '.changeset'))).toEqual(['config.json'])
  })

  test.each(['README.md', 'docs/start.md', 'packages/redis/README.md'])(
    'changes nothing while %s says that a version is not on npm yet',
    (page) => {
      added()
      write(page, 'Version 0.1.0 is not on\nnpm yet.\n')
      const { status, stderr } = run()
      expect(status).toBe(1)
      expect(stderr).toBe(`These pages say that a version is not on npm yet. Change them first: ${page}\n`)
      expect(versionOf('core')).toBe('0.1.0')
    }
  )

  test('fails without changes', () => {
    const before = read('CHANGELOG.md')
    const { status, stderr } = run()
    expect([status, stderr]).toEqual([1, 'There is nothing to release: .changeset has no changes.\n'])
    expect(read('CHANGELOG.md')).toBe(before)
  })
})

describe('the notes of a release', () => {
  test('are the section of the changelog for its version', () => {
    added()
    run()
    expect(run('release-notes', 'v0.1.0').stdout).toBe('### Added\n\n* All.\n')
    expect(run('release-notes', 'v0.2.0').stdout).toBe('### Added and changed\n\n* `@oneport/core`: An option.\n')
  })

  test('fail for a version that is not in it', () => {
    const { status, stderr } = run('release-notes', 'v0.3.0')
    expect([status, stderr]).toEqual([1, 'CHANGELOG.md has no version 0.3.0\n'])
  })
})
