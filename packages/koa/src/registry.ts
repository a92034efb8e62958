import type { Attachment, HttpServer, ServerOptions } from '@oneport/core'
import type { adopt, attach } from '@oneport/core/adapter'

/** The record of one `wsUpgrade()`. */
export interface Mount {
  /** The options for the whole server. */
  readonly options: ServerOptions
  /** The attachments of the servers whose requests pass it. */
  readonly attachments: Set<Attachment>
}

/** A server that this package has attached. */
export interface Served {
  readonly attachment: Attachment
  /** The mount whose options the attachment has; undefined for the default options. */
  readonly mount: Mount | undefined
  /** The mounts that its requests pass. While there are none, the options are a guess. */
  readonly mounts: Set<Mount>
  /** The functions of the copy of core that has attached it. */
  readonly core: { readonly attach: typeof attach; readonly adopt: typeof adopt }
  /** Detaches the server, when it has closed or gets another attachment. */
  release(): void
}

interface Registry {
  /** Closed servers are removed. */
  readonly servers: WeakMap<HttpServer, Served>
  /** The mounts that have no server yet. */
  readonly waiting: Set<Mount>
}

/**
 * All copies of this package in a process share the registry: bundlers copy packages, and an application may have two
 * versions. A change of its shape needs a new number.
 */
const key = Symbol.for('oneport.koa@1')
const world = globalThis as { readonly [key]?: Registry }

function create(): Registry {
  const registry = { servers: new WeakMap(), waiting: new Set<Mount>() }
  Object.defineProperty(globalThis, key, { value: registry })
  return registry
}

export const { servers, waiting } = world[key] ?? create()

export function createMount(options: ServerOptions): Mount {
  const mount: Mount = { options, attachments: new Set() }
  waiting.add(mount)
  return mount
}
