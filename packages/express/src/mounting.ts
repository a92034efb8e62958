import type { EventEmitter } from 'node:events'
import type { Attachment, AttachOptions, ServerOptions } from '@oneport/core'
import { attach, splitOptions } from '@oneport/core/adapter'
import { type Application, applications, type Mount } from './registry.ts'

/** What this file needs of an application of Express. */
export interface ExpressApplication extends EventEmitter {
  parent?: ExpressApplication | undefined
}

export const createMount = (options: AttachOptions): Mount => ({
  options,
  attach,
  applications: new Set(),
  attachments: new Set()
})

/**
 * Notes that a mount is in an application, and so in every application that this one is or gets mounted in.
 * @throws TypeError where two mounts of one application both have options for the server as a whole
 */
export function addMount(app: ExpressApplication, mount: Mount): void {
  add(known(app), mount)
}

function add(application: Application, mount: Mount): void {
  const [first = mount] = application.mounts
  const extra = Object.keys(serverOptions(mount))
  if (first !== mount && extra.length > 0) {
    throw new TypeError(
      `wsUpgrade: ${extra.join(', ')} can be given to the first wsUpgrade() of an application only; they are for the whole server`
    )
  }
  application.mounts.add(mount)
  mount.applications.add(application)
  for (const parent of application.parents) add(parent, mount)
}

/** The record of an application, which is made when it is first needed and learns of parents from then on. */
function known(app: ExpressApplication): Application {
  const record = applications.get(app)
  if (record !== undefined) return record
  const application: Application = { mounts: new Set(), parents: new Set(), attachments: new Set() }
  applications.set(app, application)
  const addParent = (parent: ExpressApplication): void => {
    const above = known(parent)
    application.parents.add(above)
    for (const mount of application.mounts) add(above, mount)
  }
  if (app.parent !== undefined) addParent(app.parent)
  app.on('mount', addParent)
  return application
}

/** The attachments of all servers that a mount, or another one of its applications, is for. */
export function attachmentsOf(mount: Mount): Attachment[] {
  const all = [...companionsOf(mount), ...mount.applications]
  return [...new Set(all.flatMap(({ attachments }) => [...attachments]))]
}

/** A mount, and those of the applications that it is in. */
export const companionsOf = (mount: Mount): Mount[] => [
  mount,
  ...[...mount.applications].flatMap(({ mounts }) => [...mounts])
]

/** Options for the server as a whole: those of the one mount that has any. */
export function serverOptionsOf(mounts: Iterable<Mount>): ServerOptions {
  return [...mounts].map(serverOptions).find((options) => Object.keys(options).length > 0) ?? {}
}

const serverOptions = ({ options }: Mount): ServerOptions => splitOptions(options).server
