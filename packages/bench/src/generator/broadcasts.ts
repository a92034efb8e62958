import type { Dialect } from './dialect.ts'
import { FrameCounter } from './frame-counter.ts'
import { held } from './held.ts'

export interface Broadcasts {
  /** Number of messages broadcast in one tick. */
  readonly inOneTick: number
  /** Number of requests to broadcast. Each waits until all clients have all messages. */
  readonly times: number
}

/** Asks for broadcasts over one of the held connections, and waits until all of them have the messages. */
export async function askForBroadcasts(dialect: Dialect, { inOneTick, times }: Broadcasts): Promise<void> {
  const [first] = held
  if (first === undefined) throw new Error('There is no open connection to ask over.')
  const command = dialect.message(`${inOneTick}`)
  const counters = held.map(() => new FrameCounter())
  for (let time = 1; time <= times; time++) {
    let missing = held.length
    const wanted = time * inOneTick
    await new Promise<void>((resolve, reject) => {
      for (const [index, client] of held.entries()) {
        const counter = counters[index] as FrameCounter
        client.receive = (chunk) => {
          const { messages } = counter
          counter.take(chunk)
          if (counter.messages === messages) return
          if (counter.messages > wanted) reject(new Error('More messages arrived than were asked for.'))
          if (counter.messages === wanted && --missing === 0) resolve()
        }
      }
      first.write(command)
    })
  }
}
