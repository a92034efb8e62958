/**
 * What a write that waits costs beside its bytes: the entry in Node's buffer, the Buffer object, its callback.
 * Measured with 300 000 frames of one byte that nobody reads (Node 20.20, ws 8.23): 110 to 220 bytes of heap and 170 to
 * 280 of resident memory for each write; a frame is two of them, its head and its payload.
 */
export const bytesPerWrite = 200
