import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { readJson, root } from '../root.mjs'

const { packageManager } = readJson('package.json')

/** Both npm and pnpm would wait for ten seconds, then for a minute, before they try again. */
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
 * Runs `pnpm install`; npm downloads pnpm where it has to.
 * @param {string[]} selection arguments that say what to install
 * @param {(line: string, event?: object) => void} onLine called with each line, and with what pnpm says in it
 * @returns {Promise<boolean>} whether it was installed. It does not return where a signal ends this process
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
 * How npm is called. It tells its scripts where it is; Node runs that file on every system. Without it, a shell has to find
 * npm: on Windows that is npm.cmd, which nothing but a shell can start.
 * https://nodejs.org/api/child_process.html#spawning-bat-and-cmd-files-on-windows
 */
function callNpm(args) {
  const npm = process.env.npm_execpath ?? ''
  if (/[\\/]npm-cli\.c?js$/.test(npm)) return { command: process.execPath, args: [npm, ...args], shell: false }
  // One string: arguments of their own would not be quoted (DEP0190). None of these needs quotes.
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

/** Hands signals on, and once the child has ended lets them end this process too. @returns what takes that back */
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
