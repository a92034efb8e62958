import { readJson } from '../root.mjs'
import { explain } from './advice.mjs'
import {
  hasDependencies,
  hasDevelopmentDependencies,
  lastInstallation,
  markComplete,
  markStarted
} from './installed.mjs'
import { install } from './pnpm.mjs'
import { Progress } from './progress.mjs'

const demo = {
  scope: 'demo',
  selection: ['--filter=@oneport/demo...'],
  size: '200 MB'
}

const firstOf = (name) =>
  `Installing what ${name} needs: 50 MB to download, about half a minute. Later starts skip this.`

const everything = {
  scope: 'everything',
  selection: [],
  announcement: 'Installing everything for building and testing: almost 2 GB on disk, a few minutes.',
  size: '3 GB'
}

const update = 'Dependencies are missing or have changed. Installing them takes a few seconds.'

/**
 * Installs what the demo needs, unless it is there. To find out, it only reads files, so later starts need no network.
 * @returns {Promise<boolean>} whether it is there now; if not, it has printed the reason and set the exit code
 */
export async function installDemo() {
  return installPart('the demo', 'packages/demo', demo.selection)
}

/**
 * Installs what an example needs, unless it is there. The demo is included, because it has the bundler.
 * @returns {Promise<boolean>} like `installDemo`
 */
export async function installExample(name) {
  const folder = `examples/${name}`
  return installPart(`the example ${name}`, folder, [
    ...demo.selection,
    `--filter=${readJson(`${folder}/package.json`).name}...`
  ])
}

async function installPart(name, folder, selection) {
  const { isCurrent, scope } = lastInstallation()
  if (isCurrent && hasDependencies(folder)) return true
  const announcement = scope === undefined ? firstOf(name) : update
  // A developer has everything, and keeps it.
  if (scope === 'everything') return run(everything, announcement)
  // If development dependencies are there, they stay: --prod would remove all of them.
  return run({ ...demo, selection: hasDevelopmentDependencies() ? selection : ['--prod', ...selection] }, announcement)
}

/**
 * Installs everything. It asks pnpm every time, and so repairs a damaged installation.
 * @returns {Promise<boolean>} like `installDemo`
 */
export async function installEverything() {
  const { isCurrent, scope } = lastInstallation()
  if (scope !== 'everything') return run(everything, everything.announcement)
  return run(everything, isCurrent ? undefined : update)
}

/** What npm prints about each request, the error as an object, and its guess about a proxy. */
const isNoise = /^npm (?:http |error(?:$| {2,}| [}]| If you are behind a proxy))/

/** @param announcement printed first; without one, only errors are printed */
async function run({ scope, selection, size }, announcement) {
  const progress = announcement === undefined ? undefined : new Progress(announcement)
  const output = []
  markStarted()
  const isInstalled = await install(selection, (line, event) => {
    progress?.notice(event)
    if (event === undefined) output.push(line)
    else if (event.level === 'error') output.push(`${event.code}: ${event.message}`)
  })
  progress?.end(isInstalled)
  if (isInstalled) markComplete(scope)
  else fail(output, size)
  return isInstalled
}

function fail(output, size) {
  const errors = output.filter((line) => !isNoise.test(line))
  const { packageManager: pnpm, repository } = readJson('package.json')
  const { found, needed } = explain(errors.join('\n'), { issues: `${repository.url}/issues`, pnpm, size })
  const lines = ['The installation failed:', ...errors.map((line) => `  ${line}`), '', found, `Needed: ${needed}`, '']
  process.stderr.write(lines.join('\n'))
  process.exitCode = 1
}
