import { anyFrames } from './client-frames.ts'
import { anyHandshake, anyOrdinaryRequest, write } from './draft.ts'
import { mutateBytes } from './mutate-bytes.ts'
import { mutateRequest } from './mutate-request.ts'
import { Random } from './random.ts'

/** What a client does on one connection. */
export interface Visit {
  /** What it sends first, in pieces that leave one by one; latin1. */
  readonly pieces: readonly string[]
  /** What it sends once it has a 101, in pieces. */
  readonly frames: readonly string[]
  /** When it leaves: right behind its bytes, when it has its answer, or after the server. */
  readonly leaves: 'at once' | 'answered' | 'last'
  /** How it leaves: with a FIN or with a reset. */
  readonly by: 'end' | 'reset'
  /** How many opening handshakes are in it. */
  readonly handshakes: number
}

/** The visit with this number: the same one for the same seed, whichever others are made. */
export function makeVisit(seed: number, index: number): Visit {
  const random = new Random(seed, index)
  const requests = [mutatedHandshake(random)]
  if (random.chance(0.08)) requests.push(mutatedHandshake(random))
  const handshakes = requests.length
  while (random.chance(0.12)) requests.unshift(write(anyOrdinaryRequest(random)))
  let text = requests.join('')
  if (random.chance(0.2)) {
    do text = mutateBytes(text, random)
    while (random.chance(0.3))
  }
  if (random.chance(0.2)) text += anyFrames(random)
  return {
    pieces: random.chance(0.35) ? split(text, random) : [text],
    frames: random.chance(0.7) ? maybeSplit(anyFrames(random), random) : [],
    leaves: random.pick(['at once', 'answered', 'answered', 'last']),
    by: random.chance(0.7) ? 'end' : 'reset',
    handshakes
  }
}

function mutatedHandshake(random: Random): string {
  const draft = anyHandshake(random)
  const count = random.pick([0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 5])
  for (let done = 0; done < count; done++) mutateRequest(draft, random)
  return write(draft)
}

const maybeSplit = (text: string, random: Random): string[] => (random.chance(0.2) ? split(text, random) : [text])

/** Cuts anywhere: a few times, or into single bytes for a stretch. */
function split(text: string, random: Random): string[] {
  const start = random.below(text.length + 1)
  const cuts = random.chance(0.2)
    ? Array.from({ length: 20 }, (_, offset) => start + offset)
    : Array.from({ length: random.between(1, 6) }, () => random.below(text.length + 1))
  const ends = [...new Set([0, ...cuts, text.length])].filter((end) => end <= text.length).sort((a, b) => a - b)
  return ends.slice(1).map((end, index) => text.slice(ends[index], end))
}
