import type { Attachment, AttachOptions } from '@oneport/core'
import type { attach } from '@oneport/core/adapter'

/** The record of one `wsUpgrade()`. */
export interface Mount {
  readonly options: AttachOptions
  /** `attach` of the core that the creating copy of this package uses. */
  readonly attach: typeof attach
  /** The applications that it is in, and the applications that those are mounted in. */
  readonly applications: Set<Application>
  /** The attachments of servers that were attached with its `attach()`. */
  readonly attachments: Set<Attachment>
}

/** The record of an Express application with a mount in it, or in an application mounted in it. */
export interface Application {
  /** These mounts, in order. */
  readonly mounts: Set<Mount>
  /** The applications that it is mounted in. */
  readonly parents: Set<Application>
  /** The attachments of servers whose `request` listener it is. */
  readonly attachments: Set<Attachment>
}

/** The applications and servers of the process. */
interface Registry {
  readonly applications: WeakMap<object, Application>
  /** Servers that are attached, and servers about which a warning was printed. Closed servers are removed. */
  readonly servers: WeakMap<object, 'attached' | 'warned'>
}

/**
 * All copies of this package in a process share the registry: bundlers copy packages, and an application may have two
 * versions. So it has only data, and a change of its shape needs a new number.
 */
const key = Symbol.for('oneport.express@1')
const world = globalThis as { readonly [key]?: Registry }

function create(): Registry {
  const registry = { applications: new WeakMap(), servers: new WeakMap() }
  Object.defineProperty(globalThis, key, { value: registry })
  return registry
}

export const { applications, servers } = world[key] ?? create()
