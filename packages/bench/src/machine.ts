import { execFileSync } from 'node:child_process'
import { readFileSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus, type as osType, totalmem } from 'node:os'
import { join } from 'node:path'
import { canPin } from './child.ts'

/** What a reader has to know about the machine, without anything that identifies it. */
export function describeMachine(): Record<'machine' | 'system' | 'pinning', string> {
  const [cpu] = cpus()
  return {
    machine: `${cpus().length} cores of ${cpu?.model.trim() ?? 'an unknown CPU'}, ${Math.round(totalmem() / 2 ** 30)} GiB of memory`,
    system: `${osType()} on ${process.arch}, Node.js ${process.versions.node} with V8 ${process.versions.v8}`,
    pinning: canPin
      ? 'Servers pinned to core 0 and the generator to core 1, with `taskset`'
      : 'Processes not pinned to cores, because `taskset` is missing'
  }
}

/**
 * How many files, and so connections, a process may have open. Node raises its own limit as far as allowed. Infinity if
 * the system does not say.
 */
export function descriptorLimit(): number {
  try {
    const limit = execFileSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' }).trim()
    return limit === 'unlimited' ? Infinity : Number(limit)
  } catch {
    return Infinity
  }
}

/** A package that the bench depends on, with its version and, if there is one, that of the `ws` inside it. */
export function describePackage(name: string): string {
  const manifest = realpathSync(join(__dirname, '../node_modules', name, 'package.json'))
  const { version, dependencies = {} } = readManifest(manifest)
  if (!('ws' in dependencies)) return `${name} ${version}`
  return `${name} ${version} with ws ${readManifest(createRequire(manifest).resolve('ws/package.json')).version}`
}

interface Manifest {
  readonly version: string
  readonly dependencies?: Readonly<Record<string, string>>
}

const readManifest = (path: string): Manifest => JSON.parse(readFileSync(path, 'utf8'))
