import { createHash } from 'node:crypto'
import type { Position } from '@oneport/topics'

/** What a notification says, as `send_v1` writes it. */
interface Notification {
  readonly topic: string
  readonly position: Position | undefined
  /** Undefined if it is too large for a notification. */
  readonly message: Buffer | undefined
  /** Where such a message is, if it has no position. */
  readonly reference: string | undefined
}

const form = /^(?:(\w[\w.-]*) (\d+)|- (-|\d+)) ([A-Za-z0-9+/=]*)(?: ([A-Za-z0-9+/=\n]*))?$/

/** @returns undefined for anything else */
export function parseNotification(text: string): Notification | undefined {
  const [whole, epoch, offset, reference, topic = '', message] = form.exec(text) ?? []
  if (whole === undefined) return undefined
  return {
    topic: Buffer.from(topic, 'base64').toString(),
    position: epoch === undefined ? undefined : { epoch, offset: Number(offset) },
    message: message === undefined ? undefined : Buffer.from(message, 'base64'),
    reference: reference === '-' ? undefined : reference
  }
}

/** The channel of a topic. There are 256, because the server compares each notification with each channel of a node. */
export const channelOf = (schema: string, topic: string): string =>
  `${schema}_${createHash('sha1').update(topic).digest('hex').slice(0, 2)}`
