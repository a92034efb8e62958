import type { Random } from '@oneport/kit'
import { closeFrame, frame } from './client-frames.ts'
import { handshakeDraft, host, write } from './draft.ts'
import type { Visit } from './visit.ts'

/** An ordinary request at a path of routes.ts. */
export const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`

/** A request for another protocol, which is answered like an ordinary one. */
export const h2c = `GET /plain HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n`

/** A handshake, or a request for another protocol, pipelined behind a response that is not finished. */
export function anyVisitBehindResponses(random: Random): Visit {
  const inFront = random.pick(['/late-answer', '/late-answer', '/chunks', '/chunks', '/never', '/stream', '/large'])
  const isHandshake = random.chance(0.7)
  const last = isHandshake ? write(handshakeDraft(random.pick(['/echo', '/slow', '/missing', '/stall']))) : h2c
  const echoes = last.includes('/echo') || last.includes('/slow')
  const early = isHandshake && random.chance(0.3) ? frame(1, 'early') : ''
  const pieces = [get(inFront), ...(random.chance(0.3) ? [h2c] : []), last + early]
  const isEndless = inFront === '/never' || inFront === '/stream' || last.includes('/stall')
  return {
    pieces: random.chance(0.5) ? pieces : [pieces.join('')],
    frames: [frame(1, 'hello') + closeFrame],
    leaves: isEndless
      ? random.pick(['with it', 'at once', 'meanwhile', 'meanwhile'])
      : random.pick(['with it', 'at once', 'meanwhile', 'begun', 'answered', 'last', 'last']),
    delayMs: random.below(30),
    by: random.pick(['end', 'reset', 'close']),
    handshakes: Number(isHandshake),
    ...(echoes && { messages: early === '' ? 1 : 2 })
  }
}
