/**
 * What a waiting write costs in addition to its data, in bytes: the entry in Node's buffer, the Buffer object, the
 * callback. Measured with 300 000 unread frames of one byte (Node 20.20, ws 8.23): 110 to 220 bytes of heap and 170 to
 * 280 bytes of resident memory per write. A frame is two writes: header and payload.
 */
export const bytesPerWrite = 200
