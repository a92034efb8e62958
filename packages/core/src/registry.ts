import type { Attachment, Dispatch, HttpServer } from './attachment.ts'

/** The attachments of each server by what they dispatch to, in the order in which they are asked. */
const attachments = new WeakMap<object, Map<Dispatch, Attachment>>()

/** Whether a server is attached to anything. */
export const isAttached = (server: object): boolean => attachments.has(server)

/** The attachment of a server, the first one where it has several; undefined where it has none. */
export const attachmentOf = (server: HttpServer): Attachment | undefined =>
  attachments.get(server)?.values().next().value

/** How many attachments a server has. */
export const countAttachments = (server: object): number => attachments.get(server)?.size ?? 0

/** The attachment of a server to one application. */
export const attachmentTo = (server: object, dispatch: Dispatch): Attachment | undefined =>
  attachments.get(server)?.get(dispatch)

export function register(server: object, dispatch: Dispatch, attachment: Attachment): void {
  const ofServer = attachments.get(server) ?? new Map<Dispatch, Attachment>()
  attachments.set(server, ofServer.set(dispatch, attachment))
}

export function unregister(server: object, dispatch: Dispatch): void {
  const ofServer = attachments.get(server)
  if (ofServer?.delete(dispatch) && ofServer.size === 0) attachments.delete(server)
}
