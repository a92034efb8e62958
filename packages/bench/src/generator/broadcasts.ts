import type { Dialect } from './dialect.ts'
import { FrameCounter } from './frame-counter.ts'
import { held } from './held.ts'

export interface Broadcasts {
  /** Messages that are broadcast in one tick. */
  readonly inOneTick: number
  /** Times that this is asked for; each time all clients have to have all messages. */
  readonly times: number
}

/** Asks over one of the connections that are kept, and waits until all of them have what was broadcast. */
export async function askForBroadcasts(dialect: Dialect, { inOneTick, times }: Broadcasts): Promise<void> {
  const [first] = held
  if (first === undefined) throw new Error('Nobody is connected who could ask.')
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
