import { explain } from './advice.mjs'
import { hasEverything, isFirst, isUpToDate, markFinished, markStarted } from './installed.mjs'
import { install, pnpm } from './pnpm.mjs'
import { Progress } from './progress.mjs'

const demo = {
  selection: ['--prod', '--filter=@oneport/demo...'],
  announcement: 'Installing what the demo needs: 50 MB to download, about half a minute. Later starts skip this.',
  size: '200 MB'
}

const everything = {
  selection: [],
  announcement: 'Installing what building and testing need: almost 2 GB on disk, a few minutes.',
  size: '3 GB'
}

const update = 'The dependencies have changed. Installing the new ones takes a few seconds.'

/**
 * Installs what the demo needs, unless it is there. It looks at files only to find out: later starts need no network.
 * @returns {Promise<boolean>} whether it is there now; if not, the reason was printed and the exit code set
 */
export async function installDemo() {
  if (isUpToDate()) return true
  // A clone that has everything keeps it: an installation of the demo alone would remove the rest.
  if (hasEverything()) return run(everything, update)
  return run(demo, isFirst() ? demo.announcement : update)
}

/**
 * Installs everything. It asks pnpm each time, and so repairs what was damaged.
 * @returns {Promise<boolean>} as `installDemo`
 */
export async function installEverything() {
  if (!hasEverything()) return run(everything, everything.announcement)
  return run(everything, isUpToDate() ? undefined : update)
}

/** Each request of npm's, the error as an object, and its guess about a proxy. */
const isNoise = /^npm (?:http |error(?:$| {2,}| [}]| If you are behind a proxy))/

/** @param announcement printed first; where it is left out, only errors are printed */
async function run({ selection, size }, announcement) {
  const progress = announcement === undefined ? undefined : new Progress(announcement)
  const output = []
  markStarted()
  const isInstalled = await install(selection, (line, event) => {
    progress?.notice(event)
    if (event === undefined) output.push(line)
    else if (event.level === 'error') output.push(`${event.code}: ${event.message}`)
  })
  progress?.end(isInstalled)
  if (isInstalled) markFinished()
  else fail(output, size)
  return isInstalled
}

function fail(output, size) {
  const errors = output.filter((line) => !isNoise.test(line))
  const { found, needed } = explain(errors.join('\n'), { pnpm, size })
  const lines = ['The installation failed:', ...errors.map((line) => `  ${line}`), '', found, `Needed: ${needed}`, '']
  process.stderr.write(lines.join('\n'))
  process.exitCode = 1
}
