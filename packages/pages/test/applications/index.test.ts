import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { linksOf, readPage, root } from '../../src/markdown.ts'

const folder = join(root, 'examples')
const names = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)

const readJson = (path: string) => JSON.parse(readFileSync(join(root, path), 'utf8'))

test('the index of examples has each of them', () => {
  expect(names).toHaveLength(8)
  const listed = linksOf('examples/README.md').filter((target) => /^[\w-]+\/README\.md$/.test(target))
  expect(listed.map((target) => target.replace('/README.md', '')).sort()).toEqual(names)
})

describe.each(names)('the example %s', (name) => {
  const { dependencies, devDependencies = {}, ...manifest } = readJson(`examples/${name}/package.json`)

  test('can be copied: it has ordinary versions, and imports nothing from outside its folder', () => {
    expect(manifest).toMatchObject({ name: `oneport-example-${name}`, private: true, type: 'module' })
    for (const [dependency, range] of Object.entries({ ...dependencies, ...devDependencies })) {
      expect(range).toMatch(/^\^\d+\.\d+\.\d+$/)
      const [, own] = /^@oneport\/(.*)/.exec(dependency) ?? []
      if (own !== undefined) expect(range).toBe(`^${readJson(`packages/${own}/package.json`).version}`)
    }
    const sources = readdirSync(join(folder, name), { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.[jt]s$/.test(file) && !file.includes('node_modules'))
      .map((file) => readFileSync(join(folder, name, file), 'utf8'))
    for (const source of sources) expect(source).not.toMatch(/from '(?:\.\.\/){2}/)
  })

  test('sets no HTML, and keeps no secret in its code', () => {
    const sources = readdirSync(join(folder, name), { recursive: true, encoding: 'utf8' }).filter(
      (file) => /\.(?:[jt]s|html)$/.test(file) && !file.includes('node_modules')
    )
    for (const file of sources) {
      const text = readFileSync(join(folder, name, file), 'utf8')
      expect(text).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write/)
      expect(text).not.toMatch(/secret: ['"]/)
    }
  })

  test('says how to start it, and names its files', () => {
    const text = readPage(`examples/${name}/README.md`)
    expect(text).toContain(`\nnpm run example ${name}\n`)
    const files = [...text.matchAll(/^\| (`.*?`(?:, `.*?`)*) \|/gm)].flatMap(([, cell]) => (cell as string).split(', '))
    expect(files.length).toBeGreaterThan(1)
    for (const file of files) expect(existsSync(join(folder, name, file.replaceAll('`', '')))).toBe(true)
  })

  test('is driven by a test', () => {
    expect(existsSync(join(__dirname, `${name}.test.ts`))).toBe(true)
  })
})
