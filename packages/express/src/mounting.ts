import type { EventEmitter } from 'node:events'
import type { Attachment, AttachOptions, ServerOptions } from '@oneport/core'
import { attach, splitOptions } from '@oneport/core/adapter'
import { type Application, applications, type Mount } from './registry.ts'

/** The part of an Express application that this file uses. */
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
 * Records that a mount is in an application, and so in every application that this one is or will be mounted in.
 * @throws TypeError if a mount other than the first has options for the whole server
 */
export function addMount(app: ExpressApplication, mount: Mount): void {
  add(known(app), mount)
}

function add(application: Application, mount: Mount): void {
  const [first = mount] = application.mounts
  const extra = Object.keys(serverOptions(mount))
  if (first !== mount && extra.length > 0) {
    throw new TypeError(
      `wsUpgrade: ${extra.join(', ')}: only the first wsUpgrade() of an application takes options for the whole server`
    )
  }
  application.mounts.add(mount)
  mount.applications.add(application)
  for (const parent of application.parents) add(parent, mount)
}

/** The record of an application. It is created on first use, and kept up to date when the application is mounted. */
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

/** The attachments of all servers that serve a mount, or another mount of its applications. */
export function attachmentsOf(mount: Mount): Attachment[] {
  const all = [...companionsOf(mount), ...mount.applications]
  return [...new Set(all.flatMap(({ attachments }) => [...attachments]))]
}

/** A mount, and all mounts of the applications that it is in. */
export const companionsOf = (mount: Mount): Mount[] => [
  mount,
  ...[...mount.applications].flatMap(({ mounts }) => [...mounts])
]

/** The options for the whole server, from the one mount that has any. */
export function serverOptionsOf(mounts: Iterable<Mount>): ServerOptions {
  return [...mounts].map(serverOptions).find((options) => Object.keys(options).length > 0) ?? {}
}

const serverOptions = ({ options }: Mount): ServerOptions => splitOptions(options).server
