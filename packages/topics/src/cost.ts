import type { TopicSocket } from './socket.ts'
import { isIdle, type Sender, waitingPieces } from './ws-sender.ts'

/**
 * Overhead of each waiting piece, in bytes.
 *
 * Measured with Node 20.20 on Linux, as growth of the resident memory for each of 400,000 messages of 100 bytes that a
 * client does not read, minus these bytes: 500 for a frame in the queue of a raw socket (250 if it shares its memory
 * with others, see `Message.keep`), 510 for one that the operating system has, 420 for one that `send` has queued, in
 * two pieces or after a deflate job, 550 for a message that is held here. The operating system may have as many pieces
 * again: Node knows their bytes but not their number, so each piece counts twice. `test/memory.test.ts` checks the
 * total.
 */
export const pieceBytes = 1_024

/** Memory taken by what waits for a client, in bytes: `bufferedAmount` plus the overhead of its pieces. */
export function costOf(socket: TopicSocket, sender: Sender | undefined): number {
  const { bufferedAmount } = socket
  // Messages that wait for a deflate job may be empty.
  if (bufferedAmount === 0 && sender !== undefined && isIdle(sender)) return 0
  return bufferedAmount + waitingPieces(socket) * pieceBytes
}
