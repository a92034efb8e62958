/**
 * Updates everything that depends on the `repository.url` of the root's package.json: fields of each public package's
 * package.json, and the addresses in the pages, in .github and in the configuration of the site. Also updates the
 * version in the source of core to that of its package.json. With --check, it writes nothing and fails if something
 * differs.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { publicPackages } from './public-packages.mjs'
import { readJson, root } from './root.mjs'

const { author, license, repository } = readJson('package.json')
const [owner, name] = partsOf(repository.url)
const address = `https://github.com/${owner}/${name}`
const first = [
  'name',
  'version',
  'private',
  'description',
  'keywords',
  'homepage',
  'bugs',
  'repository',
  'license',
  'author'
]

const versionFile = 'packages/core/src/version.ts'

/** @returns the owner and the name of a repository on GitHub */
function partsOf(url) {
  const parts = /^(?:git\+)?https:\/\/github\.com\/([\w.-]+)\/([\w.-]+?)(?:\.git)?$/.exec(url)
  if (parts === null) throw new Error(`repository.url must look like https://github.com/owner/name; it is ${url}`)
  return parts.slice(1)
}

/** The package.json of a public package, with the fields that depend on the root's. */
function completed(manifest, directory) {
  const all = {
    ...manifest,
    homepage: `${address}/tree/main/${directory}#readme`,
    bugs: `${address}/issues`,
    repository: { type: 'git', url: `git+${address}.git`, directory },
    license,
    author,
    publishConfig: { access: 'public', provenance: true }
  }
  const inFront = first.filter((key) => key in all).map((key) => [key, all[key]])
  return { ...Object.fromEntries(inFront), ...all }
}

/** The text files in a folder, except generated ones. */
function* textsIn(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory() && !['node_modules', 'dist', 'cache', '.git', 'coverage'].includes(entry.name)) {
      yield* textsIn(path)
    } else if (entry.isFile() && /\.(?:md|ya?ml|html|vue|m?[jt]s)$/.test(entry.name)) {
      yield relative(root, path).replaceAll('\\', '/')
    }
  }
}

/** Corrects the addresses of repositories with one of these names: on GitHub, on GitHub Pages, and in badges. */
function corrected(text, names) {
  const ours = `(?:${names.map((each) => each.replaceAll('.', '\\.')).join('|')})(?![\\w-])`
  return text
    .replace(
      new RegExp(`(github\\.com/|img\\.shields\\.io/github/[\\w/-]+/)[\\w.-]+/${ours}`, 'g'),
      `$1${owner}/${name}`
    )
    .replace(new RegExp(`//[\\w-]+\\.github\\.io/${ours}`, 'g'), `//${owner}.github.io/${name}`)
}

const before = readJson('packages/core/package.json').repository?.url ?? repository.url
const names = [...new Set([name, partsOf(before)[1]])]
/** The new content of each file that differs. */
const changes = new Map()
const compare = (file, wanted) => {
  if (readFileSync(join(root, file), 'utf8') !== wanted) changes.set(file, wanted)
}

for (const { directory, manifest } of publicPackages()) {
  if (!manifest.keywords?.length) throw new Error(`${directory}/package.json has no keywords`)
  compare(`${directory}/package.json`, `${JSON.stringify(completed(manifest, directory), null, 2)}\n`)
}
const { version } = readJson('packages/core/package.json')
compare(versionFile, readFileSync(join(root, versionFile), 'utf8').replace(/(?<=version = ').*(?=')/, version))
const pages = readdirSync(root).filter((file) => file.endsWith('.md'))
const folders = ['.github', 'docs', 'examples', 'packages'].filter((folder) => readdirSync(root).includes(folder))
for (const file of [...pages, ...folders.flatMap((folder) => [...textsIn(join(root, folder))])]) {
  compare(file, corrected(readFileSync(join(root, file), 'utf8'), names))
}

if (process.argv.includes('--check')) {
  for (const file of changes.keys()) process.stderr.write(`${file} does not match package.json\n`)
  if (changes.size > 0) {
    process.stderr.write('Update it with: npm run metadata\n')
    process.exitCode = 1
  }
} else {
  for (const [file, text] of changes) writeFileSync(join(root, file), text)
  process.stdout.write(
    changes.size === 0 ? 'All files are up to date.\n' : `Written: ${[...changes.keys()].join(', ')}\n`
  )
}
