/**
 * Options of `ws` for clients that compress. By default `ws` compresses and decompresses 10 messages in each turn of the
 * event loop, in the whole process, which is too few for all clients in one process on a busy machine: their answers would
 * wait for them. The first connection of the process decides.
 */
export const deflate = { concurrencyLimit: 1_000 }
