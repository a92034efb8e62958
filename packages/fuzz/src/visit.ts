import { Random } from '@oneport/kit'
import { anyVisitBehindResponses } from './behind.ts'
import { anyFrames } from './client-frames.ts'
import { anyDeparture } from './departures.ts'
import { anyHandshake, anyOrdinaryRequest, write } from './draft.ts'
import { anyFlood } from './floods.ts'
import { mutateBytes } from './mutate-bytes.ts'
import { mutateRequest } from './mutate-request.ts'
import { type SettingName, theirPath } from './settings.ts'

/** What a client does on one connection. */
export interface Visit {
  /** What the client sends first, in separate pieces; latin1. */
  readonly pieces: readonly string[]
  /** What the client sends after a 101, in pieces. */
  readonly frames: readonly string[]
  /**
   * When the client leaves: in one packet with its last bytes, right after them, `delayMs` later in any case, at the
   * first byte of an answer, once it has its answers, or after the server.
   */
  readonly leaves: 'with it' | 'at once' | 'meanwhile' | 'begun' | 'answered' | 'last'
  readonly delayMs?: number
  /** Time between pieces, in milliseconds. @default 0 */
  readonly pauseMs?: number
  /**
   * How the client leaves: with a FIN, and then reads on; with a reset; or by closing its socket, with or without
   * unread data.
   */
  readonly by: 'end' | 'reset' | 'close'
  /** Whether the client reads after a 101. @default true */
  readonly reads?: boolean
  /** Number of messages expected before the server's close frame, if it is known. */
  readonly messages?: number
  /** Whether another listener may spoil the answers, so that only what the server keeps counts. */
  readonly isDisturbed?: boolean
  /** Number of opening handshakes. */
  readonly handshakes: number
}

/** The visit with this number. The same seed always gives the same visit, whichever others are made. */
export function makeVisit(seed: number, index: number, setting: SettingName = 'alone'): Visit {
  const random = new Random(seed, index)
  const visit = random.pick(makers)(random, setting)
  const stays = visit.leaves === 'answered' || visit.leaves === 'last'
  const text = visit.pieces.join('')
  // Without a deadline, such a handshake is never answered.
  if (setting === 'no-deadline' && stays && text.includes('/stall'))
    return { ...visit, leaves: 'meanwhile', delayMs: 5 }
  if (text.split(/(?:HTTP|RTSP)\//).length > 2 && isSpoiled(setting, text)) {
    return { ...visit, isDisturbed: true, leaves: 'meanwhile', delayMs: 5 }
  }
  return visit
}

/**
 * Whether other listeners can spoil pipelined requests. Behind an unfinished response, all listeners share the raw
 * socket; and next to other listeners, a request for another protocol is the last one on its connection.
 */
function isSpoiled(setting: SettingName, text: string): boolean {
  if (!isShared(setting)) return false
  if (setting === 'takes' && text.includes(theirPath)) return true
  return setting === 'refuses' || setting === 'destroys' || (text.match(/upgrade/gi)?.length ?? 0) > 2
}

const isShared = (setting: SettingName): boolean => setting !== 'alone' && setting !== 'no-deadline'

/** Most visits are mutations. */
const makers = [
  ...Array.from({ length: 7 }, () => anyVisitWithMutations),
  anyVisitBehindResponses,
  anyDeparture,
  anyFlood
]

function anyVisitWithMutations(random: Random, setting: SettingName): Visit {
  const requests = [mutatedHandshake(random, setting)]
  if (random.chance(0.08)) requests.push(mutatedHandshake(random, setting))
  const handshakes = requests.length
  const leaves = random.pick(['at once', 'answered', 'answered', 'last'] as const)
  // With several unfinished requests in front of whatever ends the connection, or with CONNECT, Node's parser is
  // already detached.
  const endsEarly = leaves === 'at once' || requests.some((request) => request.startsWith('CONNECT'))
  const mostInFront = endsEarly || isShared(setting) ? 1 : 4
  while (requests.length - handshakes < mostInFront && random.chance(0.12))
    requests.unshift(write(anyOrdinaryRequest(random)))
  let text = requests.join('')
  if (random.chance(0.2)) {
    do text = mutateBytes(text, random)
    while (random.chance(0.3))
  }
  if (random.chance(0.2)) text += anyFrames(random)
  return {
    pieces: random.chance(0.35) ? split(text, random) : [text],
    frames: random.chance(0.7) ? maybeSplit(anyFrames(random), random) : [],
    leaves,
    by: random.chance(0.7) ? 'end' : 'reset',
    handshakes
  }
}

function mutatedHandshake(random: Random, setting: SettingName): string {
  const draft = anyHandshake(random)
  if (setting === 'takes' && random.chance(0.3)) draft.target = theirPath
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
