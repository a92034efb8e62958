import type { Random } from '@oneport/kit'
import { closeFrame, frame } from './client-frames.ts'
import { handshakeDraft, write } from './draft.ts'
import type { Visit } from './visit.ts'

type Step = (random: Random) => Partial<Visit>

const ask = (path: string): string => write(handshakeDraft(path))
const whole = ask('/echo')

/** The points at which a client may leave. */
const steps: readonly Step[] = [
  // Within the head.
  (random) => ({
    pieces: [whole.slice(0, random.between(1, whole.length - 1))],
    leaves: random.pick(['with it', 'at once', 'meanwhile'])
  }),
  // Right after the head, or while middleware runs.
  (random) => ({
    pieces: [ask(random.pick(['/echo', '/slow', '/stall']))],
    leaves: random.pick(['with it', 'at once', 'meanwhile'])
  }),
  // The same, with bytes that nothing has read yet.
  (random) => ({
    pieces: [ask(random.pick(['/slow', '/stall'])) + frame(1, 'early').repeat(random.pick([1, 50, 20_000]))],
    leaves: random.pick(['with it', 'at once', 'meanwhile'])
  }),
  // During an endless answer, or one larger than the system's buffers.
  (random) => ({
    pieces: [ask(random.pick(['/stream', '/large', '/chunks', '/refused']))],
    leaves: random.pick(['begun', 'begun', 'meanwhile'])
  }),
  // Between the 101 and the first listener.
  (random) => ({ pieces: [ask(random.pick(['/late', '/waits', '/holds']))], leaves: 'begun' }),
  (random) => ({ pieces: [ask(random.pick(['/late', '/waits', '/holds'])) + frame(1, 'early')], leaves: 'begun' }),
  // Within a message, or between its fragments.
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
  // During a closing handshake, begun by the client or by the server.
  () => ({ frames: [closeFrame], leaves: 'answered' }),
  (random) => ({ pieces: [ask(random.pick(['/closes', '/handler-throws', '/terminates']))], leaves: 'begun' }),
  (random) => ({ pieces: [ask('/floods')], frames: [random.pick(['', closeFrame])], leaves: 'answered', reads: false })
]

/** A client that leaves at one of these points. */
export const anyDeparture = (random: Random): Visit => ({
  pieces: [whole],
  frames: [],
  leaves: 'at once',
  delayMs: random.below(20),
  by: random.pick(['end', 'reset', 'close']),
  handshakes: 1,
  ...random.pick(steps)(random)
})
