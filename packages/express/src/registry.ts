import type { Attachment, AttachOptions } from '@oneport/core'
import type { attach } from '@oneport/core/adapter'

/** One `wsUpgrade()`. */
export interface Mount {
  readonly options: AttachOptions
  /** Of the core beside the copy that made it. */
  readonly attach: typeof attach
  /** The applications that it is in, and those that these are mounted in. */
  readonly applications: Set<Application>
  /** Of the servers that were attached by its `attach()`. */
  readonly attachments: Set<Attachment>
}

/** What is known of an Express application with a mount in it, or in an application mounted in it. */
export interface Application {
  /** These mounts, the first one first. */
  readonly mounts: Set<Mount>
  /** The applications that it is mounted in. */
  readonly parents: Set<Application>
  /** Of the servers whose `request` listener it is. */
  readonly attachments: Set<Attachment>
}

/** What this package knows of the applications and servers of the process. */
interface Registry {
  readonly applications: WeakMap<object, Application>
  /** Servers that were attached and have not closed since, and servers whose operator was told what does not work. */
  readonly servers: WeakMap<object, 'attached' | 'warned'>
}

/**
 * All copies of this package in a process share it: bundlers copy packages, and an application may have two versions. So it
 * holds only data, and a change of its shape needs another number.
 */
const key = Symbol.for('oneport.express@1')
const world = globalThis as { readonly [key]?: Registry }

function create(): Registry {
  const registry = { applications: new WeakMap(), servers: new WeakMap() }
  Object.defineProperty(globalThis, key, { value: registry })
  return registry
}

export const { applications, servers } = world[key] ?? create()
