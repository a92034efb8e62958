/** Options of the library: the delays before it tries again, and how long a handshake may take, in milliseconds. */
export const patience = { minDelayMs: 20, maxDelayMs: 250, connectTimeoutMs: 10_000 }
