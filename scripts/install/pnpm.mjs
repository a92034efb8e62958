import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { readJson, root } from '../root.mjs'

const { packageManager } = readJson('package.json')

/** By default npm and pnpm wait ten seconds before the first retry, and a minute before the second. */
const retry = { 'fetch-retry-mintimeout': 1_000, 'fetch-retry-factor': 3 }

const npmArguments = [
  'exec',
  '--yes',
  '--loglevel=http',
  '--update-notifier=false',
  ...flags('--', retry),
  '--',
  packageManager
]
const pnpmArguments = ['install', '--frozen-lockfile', '--reporter=ndjson', ...flags('--config.', retry)]

function flags(prefix, options) {
  return Object.entries(options).map(([name, value]) => `${prefix}${name}=${value}`)
}

/**
 * Runs `pnpm install`. npm downloads pnpm if necessary.
 * @param {string[]} selection arguments that say what to install
 * @param {(line: string, event?: object) => void} onLine called with each line, and its event if pnpm reports one
 * @returns {Promise<boolean>} whether it succeeded; never settles if a signal ends this process
 */
export function install(selection, onLine) {
  const { command, args, shell } = callNpm([...npmArguments, ...pnpmArguments, ...selection])
  const child = spawn(command, args, { cwd: root, shell, stdio: ['ignore', 'pipe', 'pipe'] })
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => onLine(line, parse(line)))
  }
  const stopListening = endTogether(child)
  return new Promise((resolve) => {
    child.on('error', (error) => {
      onLine(String(error))
      resolve(false)
    })
    child.on('close', (code) => {
      stopListening()
      resolve(code === 0)
    })
  })
}

/**
 * How to call npm. It tells its scripts where it is, and Node can run that file on every system. If it does not, a shell has
 * to find npm: on Windows that is npm.cmd, which only a shell can start.
 * https://nodejs.org/api/child_process.html#spawning-bat-and-cmd-files-on-windows
 */
function callNpm(args) {
  const npm = process.env.npm_execpath ?? ''
  if (/[\\/]npm-cli\.c?js$/.test(npm)) return { command: process.execPath, args: [npm, ...args], shell: false }
  // One string, because a shell gets separate arguments unquoted (DEP0190). None of these needs quotes.
  return { command: ['npm', ...args].join(' '), args: [], shell: true }
}

function parse(line) {
  if (!line.startsWith('{')) return undefined
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

/** Passes signals on to the child, and ends this process once the child has ended. @returns a function that undoes this */
function endTogether(child) {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  const handOn = (signal) => {
    child.kill(signal)
    child.once('close', () => process.kill(process.pid, signal))
  }
  for (const signal of signals) process.on(signal, handOn)
  return () => {
    for (const signal of signals) process.off(signal, handOn)
  }
}
