import { TopicsClientError } from './errors.ts'
import type { Outgoing } from './wire.ts'

/** How many milliseconds a message is sent again after its first time. A server knows its ID for 90 seconds. */
const againMs = 50_000

/** A message that was not acknowledged. */
export interface Pending extends Outgoing {
  begin(endsAt?: number): void
  /** Ends it: with why it was not published, or with its offset. */
  end(error?: Error, offset?: number): void
}

/**
 * @param onEnd called at the end
 * @param onFirst called when the message is sent for the first time
 */
export function pend(
  { id, topic, data }: Pick<Outgoing, 'id' | 'topic' | 'data'>,
  onEnd: Pending['end'],
  onFirst?: (endsAt: number) => void
): Pending {
  let timer: ReturnType<typeof setTimeout> | undefined
  const message = {
    id,
    topic,
    data,
    endsAt: undefined as number | undefined,
    isOver: false,
    begin(endsAt = Date.now() + againMs) {
      if (message.endsAt !== undefined) return
      message.endsAt = endsAt
      const text = `Nobody knows whether the message was published on ${topic}.`
      timer = setTimeout(() => message.end(new TopicsClientError('unknown', text)), endsAt - Date.now())
      onFirst?.(endsAt)
    },
    end(error?: Error, offset?: number) {
      message.isOver = true
      clearTimeout(timer)
      onEnd(error, offset)
    }
  }
  return message
}
