import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

const scripts = join(__dirname, '../../../scripts')
let folder: string

/** Creates a repository with one public and one private package, whose address has just changed. */
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'oneport-metadata-'))
  const write = (file: string, content: object | string) => {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), typeof content === 'string' ? content : JSON.stringify(content))
  }
  cpSync(scripts, join(folder, 'scripts'), { recursive: true })
  const repository = { type: 'git', url: 'https://github.com/acme/sockets' }
  write('package.json', { private: true, license: 'MIT', author: 'Acme', repository })
  write('packages/core/package.json', {
    name: '@acme/core',
    version: '2.0.0',
    keywords: ['ws'],
    type: 'commonjs',
    repository: { type: 'git', url: 'git+https://github.com/before/earlier.git' }
  })
  write('packages/core/src/version.ts', "/** As in package.json. */\nexport const version = '1.9.0'\n")
  write('packages/inner/package.json', { name: 'inner', private: true })
  write(
    'README.md',
    `[![CI](https://github.com/before/earlier/actions/workflows/ci.yml/badge.svg)]
![stars](https://img.shields.io/github/stars/before/earlier)
[site](https://before.github.io/earlier/start) https://github.com/before/earlier-one https://github.com/websockets/ws
`
  )
  write('.github/ISSUE_TEMPLATE/config.yml', 'url: https://github.com/before/sockets/discussions\n')
})

afterEach(() => rmSync(folder, { recursive: true }))

const run = (...args: string[]) =>
  spawnSync(process.execPath, [join(folder, 'scripts/metadata.mjs'), ...args], { encoding: 'utf8' })
const read = (file: string) => readFileSync(join(folder, file), 'utf8')

describe('npm run metadata', () => {
  test('writes the address of the repository into the package.json of public packages', () => {
    const inner = read('packages/inner/package.json')
    expect(run().status).toBe(0)
    expect(JSON.parse(read('packages/core/package.json'))).toEqual({
      name: '@acme/core',
      version: '2.0.0',
      keywords: ['ws'],
      homepage: 'https://github.com/acme/sockets/tree/main/packages/core#readme',
      bugs: 'https://github.com/acme/sockets/issues',
      repository: { type: 'git', url: 'git+https://github.com/acme/sockets.git', directory: 'packages/core' },
      license: 'MIT',
      author: 'Acme',
      type: 'commonjs',
      publishConfig: { access: 'public', provenance: true }
    })
    expect(read('packages/inner/package.json')).toBe(inner)
  })

  test('replaces the former address in pages and in .github, but no other one', () => {
    run()
    expect(read('README.md')).toBe(
      `[![CI](https://github.com/acme/sockets/actions/workflows/ci.yml/badge.svg)]
![stars](https://img.shields.io/github/stars/acme/sockets)
[site](https://acme.github.io/sockets/start) https://github.com/before/earlier-one https://github.com/websockets/ws
`
    )
    expect(read('.github/ISSUE_TEMPLATE/config.yml')).toBe('url: https://github.com/acme/sockets/discussions\n')
  })

  test("writes core's version into its source", () => {
    run()
    expect(read('packages/core/src/version.ts')).toBe("/** As in package.json. */\nexport const version = '2.0.0'\n")
  })

  test('with --check names the files that differ, but does not change them', () => {
    const before = read('README.md')
    const { status, stderr } = run('--check')
    expect(status).toBe(1)
    expect(stderr).toBe(
      ['packages/core/package.json', 'packages/core/src/version.ts', 'README.md', '.github/ISSUE_TEMPLATE/config.yml']
        .map((file) => `${file} does not match package.json\n`)
        .join('')
        .concat('Update it with: npm run metadata\n')
    )
    expect(read('README.md')).toBe(before)
    run()
    expect(run('--check').status).toBe(0)
  })

  test('fails if the address is not on GitHub', () => {
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ repository: { url: 'acme/sockets' } }))
    const { status, stderr } = run()
    expect(status).toBe(1)
    expect(stderr).toContain('repository.url must look like https://github.com/owner/name; it is acme/sockets')
  })
})
