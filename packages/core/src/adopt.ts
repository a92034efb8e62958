import type { IncomingMessage } from 'node:http'
import type { Attachment } from './attachment.ts'
import { type HandshakeRequest, handshakeOf } from './handshake.ts'
import { admit, type Receiver } from './transport/dispatch.ts'

const receivers = new WeakMap<Attachment, Receiver>()

/** Notes what an attachment does with handshakes, for `adopt`. */
export function noteReceiver(attachment: Attachment, receiver: Receiver): void {
  receivers.set(attachment, receiver)
}

/** What an attachment does with handshakes; undefined if another copy of core has made it. */
export const receiverOf = (attachment: Attachment | undefined): Receiver | undefined =>
  attachment && receivers.get(attachment)

/**
 * Moves a pending handshake to another attachment of its server, for adapters that learn only from a request which
 * options a server has. Those of the new attachment apply from here on. Does nothing for an ordinary request, and
 * for a handshake that belongs to this attachment already.
 * @param attachment made by the same copy of core as the one that the handshake belongs to
 * @throws HandshakeError if the new attachment does not admit the handshake
 */
export function adopt(request: HandshakeRequest, attachment: Attachment): void {
  const handshake = handshakeOf(request as IncomingMessage)
  const receiver = receivers.get(attachment)
  if (handshake?.state !== 'pending' || receiver === undefined) return
  if (handshake.connections === receiver.connections) return
  handshake.moveTo(receiver)
  admit(request as IncomingMessage, receiver)
}
