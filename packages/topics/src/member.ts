import type { Deflate } from './deflate.ts'
import type { Held } from './held.ts'
import type { TopicSocket } from './socket.ts'
import { deflateOf, type Sender, senderOf } from './ws-sender.ts'

/** A socket with at least one subscription. */
export class Member {
  readonly socket: TopicSocket
  readonly topics = new Set<string>()
  /** Undefined if only `send` may write. */
  readonly sender: Sender | undefined
  readonly deflate: Deflate | 'shared' | undefined
  /** Whether its raw socket is corked until the end of the tick. */
  isCorked = false
  /** Messages that can't be written yet; undefined if there are none. */
  held: Held | undefined
  /** Whether it speaks the protocol of `serve`. */
  readonly isServed: boolean
  /** The offset of the next message to read from the history, of each topic whose newest messages it has not got. */
  behind: Map<string, number> | undefined
  /** Topics of which it watches who is present, and has yet to get the whole list, because changes found no room. */
  outdated: Set<string> | undefined

  constructor(socket: TopicSocket, isServed: boolean) {
    this.socket = socket
    this.isServed = isServed
    this.sender = senderOf(socket)
    this.deflate = deflateOf(socket)
  }
}
