import { closeFrame, frame } from './client-frames.ts'
import { handshakeDraft, write } from './draft.ts'
import type { Random } from './random.ts'
import type { Visit } from './visit.ts'

type Step = (random: Random) => Partial<Visit>

const ask = (path: string): string => write(handshakeDraft(path))
const whole = ask('/echo')

/** Where a client can be on its way when it leaves. */
const steps: readonly Step[] = [
  // In the head.
  (random) => ({
    pieces: [whole.slice(0, random.between(1, whole.length - 1))],
    leaves: random.pick(['with it', 'at once', 'meanwhile'])
  }),
  // Right behind it, or while middleware works.
  (random) => ({
    pieces: [ask(random.pick(['/echo', '/slow', '/stall']))],
    leaves: random.pick(['with it', 'at once', 'meanwhile'])
  }),
  // The same, with bytes that nobody has read yet.
  (random) => ({
    pieces: [ask(random.pick(['/slow', '/stall'])) + frame(1, 'early').repeat(random.pick([1, 50, 20_000]))],
    leaves: random.pick(['with it', 'at once', 'meanwhile'])
  }),
  // In an answer that goes on, or that is more than the system keeps.
  (random) => ({
    pieces: [ask(random.pick(['/stream', '/large', '/chunks', '/refused']))],
    leaves: random.pick(['begun', 'begun', 'meanwhile'])
  }),
  // Between the 101 and the first listener.
  (random) => ({ pieces: [ask(random.pick(['/late', '/waits', '/holds']))], leaves: 'begun' }),
  (random) => ({ pieces: [ask(random.pick(['/late', '/waits', '/holds'])) + frame(1, 'early')], leaves: 'begun' }),
  // In a message, or between its fragments.
  (random) => ({
    frames: [
      random.pick([
        frame(2, 'x', { announced: 100_000 }),
        frame(1, 'a', { final: false }),
        frame(1, 'hello').slice(0, 3)
      ])
    ],
    leaves: 'answered'
  }),
  // In the closing handshake that the client begins, or that the server begins.
  () => ({ frames: [closeFrame], leaves: 'answered' }),
  (random) => ({ pieces: [ask(random.pick(['/closes', '/handler-throws', '/terminates']))], leaves: 'begun' }),
  (random) => ({ pieces: [ask('/floods')], frames: [random.pick(['', closeFrame])], leaves: 'answered', reads: false })
]

/** A client that leaves at one of the steps of its way. */
export const anyDeparture = (random: Random): Visit => ({
  pieces: [whole],
  frames: [],
  leaves: 'at once',
  delayMs: random.below(20),
  by: random.pick(['end', 'reset', 'close']),
  handshakes: 1,
  ...random.pick(steps)(random)
})
