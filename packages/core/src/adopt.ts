import type { IncomingMessage } from 'node:http'
import type { Attachment } from './attachment.ts'
import { type HandshakeRequest, handshakeOf } from './handshake.ts'
import { internalsOf } from './internals.ts'
import { admit } from './transport/dispatch.ts'

/**
 * Moves a pending handshake to another attachment of its server, for adapters that learn only from a request which
 * options a server has. Those of the new attachment apply from here on. Does nothing for an ordinary request, and
 * for a handshake that belongs to this attachment already.
 * @param attachment made by the same copy of core as the one that the handshake belongs to
 * @throws HandshakeError if the new attachment does not admit the handshake
 */
export function adopt(request: HandshakeRequest, attachment: Attachment): void {
  const handshake = handshakeOf(request as IncomingMessage)
  const owner = internalsOf(attachment)
  if (handshake?.state !== 'pending' || owner === undefined) return
  if (handshake.connections === owner.connections) return
  handshake.moveTo(owner)
  admit(request as IncomingMessage, owner)
}
