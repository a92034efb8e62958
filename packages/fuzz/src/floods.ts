import type { Random } from '@oneport/kit'
import { closeFrame, frame } from './client-frames.ts'
import { handshakeDraft, write } from './draft.ts'
import { type SettingName, theirPath } from './settings.ts'
import type { Visit } from './visit.ts'

/** Frames that cost more than their size in bytes: one byte, empty, and pings. */
export const smallFrames: readonly string[] = [frame(1, 'x'), frame(2, ''), frame(9, '')]

const many = [100, 500, 2_000]

/** `ws` closes a connection with 60 unanswered pings. */
const mostPings = 60

/** A flood of small messages, at an endpoint that echoes or at one without a listener. */
export function anyFlood(random: Random, setting: SettingName): Visit {
  const small = random.pick(smallFrames)
  const isPing = small === smallFrames[2]
  const count = random.pick(many)
  const flood = { by: random.pick(['end', 'reset', 'close'] as const), handshakes: 1 }
  const pieces = [
    write(handshakeDraft(setting === 'takes' && random.chance(0.3) ? theirPath : random.pick(['/echo', '/slow'])))
  ]
  // All are echoed, over a time in which other listeners act.
  if (random.chance(0.5)) {
    const half = small.repeat(isPing ? mostPings / 2 : count)
    return {
      ...flood,
      pieces,
      frames: [half, half + closeFrame],
      pauseMs: random.pick([0, 30]),
      leaves: 'last',
      messages: isPing ? 0 : 2 * count
    }
  }
  return {
    ...flood,
    pieces: random.chance(0.5)
      ? pieces
      : [write(handshakeDraft(random.pick(['/deaf', '/waits', '/holds', '/unread'])))],
    frames: Array.from({ length: random.between(1, 4) }, () => small.repeat(count)),
    leaves: 'answered',
    reads: random.chance(0.5)
  }
}
