import type { TopicSocket } from './socket.ts'
import { isIdle, type Sender, waitingPieces } from './ws-sender.ts'

/**
 * Bytes that a piece which waits counts beside its own.
 *
 * Measured with Node 20.20 on Linux, as growth of the resident memory for each of 400,000 messages of 100 bytes that a client
 * does not read, without these bytes: 500 for a frame in the queue of a raw socket (250 where it shares its memory with
 * others, see `Message.keep`), 510 when it is with the operating system, 420 for what `send` has queued, in two pieces or
 * behind a deflate job, 550 for a message that waits here. As many as wait may be with the operating system beside them:
 * Node says how many bytes those are, and not how many pieces. So a piece counts for two. `test/memory.test.ts` keeps an eye
 * on the sum.
 */
export const pieceBytes = 1_024

/** What waits for a client: `bufferedAmount`, and what its pieces take beside that. */
export function costOf(socket: TopicSocket, sender: Sender | undefined): number {
  const { bufferedAmount } = socket
  // Messages behind a deflate job may be empty.
  if (bufferedAmount === 0 && sender !== undefined && isIdle(sender)) return 0
  return bufferedAmount + waitingPieces(socket) * pieceBytes
}
