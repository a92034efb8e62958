/** Bytes of each message; a frame of one has a head of four. RFC 6455 §5.2. */
export const payloadLength = 256
export const frameLength = 4 + payloadLength

/** The path of a topic, which is its name: one of so many, so that late messages of a spread do not get into the next. */
export const topicPath = (topics: number, index: number): string => `/${topics}/${index}`

/** Milliseconds on a clock that all processes of a machine share. */
export const now = (): number => Number(process.hrtime.bigint()) / 1e6

/** A message that says when it was published. */
export function createMessage(): Buffer {
  const message = Buffer.alloc(payloadLength)
  message.writeDoubleBE(now())
  return message
}

/** When the message of a frame was published. */
export const publishedAt = (frame: Buffer, start: number): number => frame.readDoubleBE(start + 4)
