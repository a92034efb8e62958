import type { IncomingMessage } from 'node:http'
import type { Attachment } from './attachment.ts'
import type { HandshakeOwner } from './handshake.ts'
import { serverOf } from './node.ts'
import { attachmentOf } from './registry.ts'

const internals = new WeakMap<Attachment, HandshakeOwner>()

/** Notes what an attachment has that applications do not see. */
export function noteInternals(attachment: Attachment, owner: HandshakeOwner): void {
  internals.set(attachment, owner)
}

/** What an attachment has that applications do not see; undefined if another copy of core has made it. */
export const internalsOf = (attachment: Attachment | undefined): HandshakeOwner | undefined =>
  attachment && internals.get(attachment)

/** Those of the attachment of a request's server; undefined if it has none, or another copy of core has made it. */
export function internalsFor({ socket }: Pick<IncomingMessage, 'socket'>): HandshakeOwner | undefined {
  const server = serverOf(socket)
  return internalsOf(server && attachmentOf(server))
}
