import type { Attachment, HttpServer } from './attachment.ts'

/** The attachments of each server by the application that they are for, in the order in which they are asked. */
const attachments = new WeakMap<object, Map<object, Attachment>>()

/** Whether a server is attached to anything. */
export const isAttached = (server: object): boolean => attachments.has(server)

/** The attachment of a server, the first one where it has several; undefined where it has none. */
export const attachmentOf = (server: HttpServer): Attachment | undefined =>
  attachments.get(server)?.values().next().value

/** How many attachments a server has. */
export const countAttachments = (server: object): number => attachments.get(server)?.size ?? 0

/** The attachment of a server to one application. */
export const attachmentTo = (server: object, application: object): Attachment | undefined =>
  attachments.get(server)?.get(application)

export function register(server: object, application: object, attachment: Attachment): void {
  const ofServer = attachments.get(server) ?? new Map<object, Attachment>()
  attachments.set(server, ofServer.set(application, attachment))
}

export function unregister(server: object, application: object): void {
  const ofServer = attachments.get(server)
  if (ofServer?.delete(application) && ofServer.size === 0) attachments.delete(server)
}
