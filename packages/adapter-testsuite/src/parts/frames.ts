/** A text frame from a client, masked with zeros (RFC 6455 §5.3). */
export const maskedText = (text: string): Buffer =>
  Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)])

/** A short text frame from a server, in latin1. */
export const serverText = (text: string): string => `\x81${String.fromCharCode(text.length)}${text}`

/** The close code of a frame in latin1 that ends with it and a reason of so many bytes. */
export const closeCodeIn = (text: string, reasonBytes = 0): number =>
  Buffer.from(text, 'latin1').readUInt16BE(text.length - reasonBytes - 2)
