/** Bytes per message. The frame of one has a header of four bytes. RFC 6455 §5.2. */
export const payloadLength = 256
export const frameLength = 4 + payloadLength

/**
 * The path of a topic, which is also its name. It contains the number of topics, so that late messages of one spread do
 * not reach the next.
 */
export const topicPath = (topics: number, index: number): string => `/${topics}/${index}`

/** Milliseconds on a clock that all processes of the machine share. */
export const now = (): number => Number(process.hrtime.bigint()) / 1e6

/** A message with the time at which it was published. */
export function createMessage(): Buffer {
  const message = Buffer.alloc(payloadLength)
  message.writeDoubleBE(now())
  return message
}

/** The time at which a frame's message was published. */
export const publishedAt = (frame: Buffer, start: number): number => frame.readDoubleBE(start + 4)
