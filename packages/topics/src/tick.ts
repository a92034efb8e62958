import type { Context } from './context.ts'
import type { Member } from './member.ts'

/**
 * Corks raw sockets until the tick ends, so that all messages of one tick are written with one system call. What the
 * application sends meanwhile is corked with them, in order, and counts in `bufferedAmount`.
 */
export class Tick {
  readonly #onFault: (error: unknown, member: Member) => void
  readonly #context: Context
  readonly #flushSoon = (): void => process.nextTick(this.#flushNow)
  readonly #flushNow = (): void => this.flush()
  #corked: Member[] = []

  /** @param context runs the writes at the end of a tick, whose publishers may have different contexts */
  constructor(context: Context, onFault: (error: unknown, member: Member) => void) {
    this.#context = context
    this.#onFault = onFault
  }

  cork(member: Member): void {
    if (member.isCorked) return
    if (this.#corked.length === 0) this.#context.runInAsyncScope(this.#flushSoon)
    member.isCorked = true
    this.#corked.push(member)
    member.sender?._socket.cork()
  }

  flush(): void {
    const corked = this.#corked
    this.#corked = []
    for (const member of corked) {
      member.isCorked = false
      try {
        member.sender?._socket.uncork()
      } catch (error) {
        this.#onFault(error, member)
      }
    }
  }
}

/** Writes what is corked, whoever corked it, and then restores the corks. */
export function flushThrough({ sender }: Member): void {
  if (sender === undefined) return
  const { _socket: rawSocket } = sender
  const corks = rawSocket.writableCorked
  try {
    for (let count = 0; count < corks; count++) rawSocket.uncork()
  } finally {
    while (rawSocket.writableCorked < corks) rawSocket.cork()
  }
}
