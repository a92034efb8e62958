import { Random } from '@oneport/kit'
import { get, h2c } from './behind.ts'
import { closeFrame, frame } from './client-frames.ts'
import { anyOrdinaryRequest, handshakeDraft, host, write } from './draft.ts'
import { smallFrames } from './floods.ts'
import type { Visit } from './visit.ts'

/** One kind of connection. */
export interface Kind {
  readonly name: string
  readonly visit: Visit
  /** The expected status, or any if the client does not wait for one. */
  readonly status: number | 'any'
}

const ask = (path: string, extra: readonly [string, string][] = []): string => write(handshakeDraft(path, extra))

/** A handshake that is accepted, and a client that then waits for the server to end. */
const kind = (name: string, given: Partial<Visit> = {}, status: Kind['status'] = 101): Kind => ({
  name,
  visit: { pieces: [ask('/echo')], frames: [], leaves: 'last', by: 'end', handshakes: 1, ...given },
  status
})

const refused = (name: string, status: number, request: string): Kind => kind(name, { pieces: [request] }, status)

const message = frame(1, 'hello')
const [cutAt, long] = [60, 17_000]

/** A client that leaves with a FIN, with a reset, or by closing its socket. */
const departures = (where: string, given: Partial<Visit>): Kind[] =>
  (['end', 'reset', 'close'] as const).map((by) =>
    kind(`gone by ${by} ${where}`, { leaves: 'at once', delayMs: 3, by, ...given }, 'any')
  )

const kinds: readonly Kind[] = [
  kind('closed by the client', { frames: [message, closeFrame] }),
  kind('closed by the server', { pieces: [ask('/closes')] }),
  kind('terminated by the server', { pieces: [ask('/terminates')] }),
  kind('reset by the client', { leaves: 'answered', by: 'reset' }),
  kind('ended without a closing handshake', { leaves: 'answered' }),
  kind('reset in the middle of a message', {
    frames: [frame(2, 'x', { announced: 100_000 })],
    leaves: 'answered',
    by: 'reset'
  }),
  kind('with messages right after the handshake', { pieces: [ask('/late') + message + message + closeFrame] }),
  kind('with messages and no listener', { pieces: [ask('/deaf')], frames: [message.repeat(20), closeFrame] }),
  kind('gone while messages wait', {
    pieces: [ask('/waits') + message],
    frames: [message],
    leaves: 'answered',
    by: 'reset'
  }),
  kind('gone with an unread answer', { pieces: [ask('/floods')], leaves: 'answered', by: 'reset' }),
  kind('compressed', {
    pieces: [ask('/deflate', [['Sec-WebSocket-Extensions', 'permessage-deflate']])],
    frames: [message, closeFrame]
  }),
  kind('with an invalid frame', { frames: [frame(3, 'x')] }),
  kind('with a message that is too large', { frames: [frame(2, 'x', { announced: 2 ** 30 })] }),
  kind('with a handler that throws', { pieces: [ask('/handler-throws')] }),
  kind('with a handler that rejects', { pieces: [ask('/handler-rejects')] }),
  kind('with a listener that throws', { pieces: [ask('/listener-throws')], frames: [message] }),
  refused('refused by middleware', 401, ask('/refused')),
  refused('refused by a fault', 500, ask('/throws')),
  refused('refused for its path', 404, ask('/missing')),
  refused('refused for its origin', 403, ask('/echo', [['Origin', 'https://evil.example']])),
  refused('refused for its key', 400, ask('/echo').replace('x3JJ', '!')),
  refused('refused for its version', 426, ask('/echo').replace(': 13', ': 8')),
  refused('an ordinary request at an endpoint', 426, `GET /echo HTTP/1.1\r\nHost: ${host}\r\n\r\n`),
  refused('a request for another protocol', 200, ask('/plain').replace('websocket', 'h2c')),
  refused('a head that is too large', 431, ask('/echo', [['X-Long', 'a'.repeat(long)]])),
  refused('not a request', 400, 'hello\r\n\r\n'),
  kind('behind an ordinary request', { pieces: [write(anyOrdinaryRequest(new Random(5))) + ask('/closes')] }),
  kind('reset while middleware waits', { pieces: [ask('/slow')], leaves: 'at once', by: 'reset' }, 'any'),
  kind('ended while middleware waits', { pieces: [ask('/slow')], leaves: 'at once' }, 'any'),
  kind('stalled and cut', { pieces: [ask('/stall')], leaves: 'at once', by: 'reset' }, 'any'),
  kind('half a handshake, then the end', { pieces: [ask('/echo').slice(0, cutAt)], leaves: 'at once' }, 'any'),
  kind(
    'half a handshake, then a reset',
    { pieces: [ask('/echo').slice(0, cutAt)], leaves: 'at once', by: 'reset' },
    'any'
  ),
  kind('without a byte', { pieces: [], leaves: 'at once' }, 'any'),
  kind('behind a late response', { pieces: [get('/late-answer') + ask('/echo')], frames: [closeFrame] }),
  kind('behind a response in chunks', { pieces: [get('/chunks'), ask('/echo')], frames: [closeFrame] }),
  refused('a request for another protocol behind a late response', 200, get('/late-answer') + h2c),
  ...departures('behind a response that never starts', { pieces: [get('/never') + ask('/echo')] }),
  ...departures('for another protocol, behind a response that never starts', { pieces: [get('/never') + h2c] }),
  ...departures('behind an endless response', { pieces: [get('/stream'), ask('/echo')], leaves: 'meanwhile' }),
  ...departures('during an endless answer', { pieces: [ask('/stream')], leaves: 'begun' }),
  ...departures('during a large answer', { pieces: [ask('/large')], leaves: 'begun' }),
  ...departures('while middleware hangs', { pieces: [ask('/stall') + message], leaves: 'meanwhile' }),
  ...departures('before the first listener', { pieces: [ask('/waits')], leaves: 'begun' }),
  ...departures('within a message', { frames: [message.slice(0, 3)], leaves: 'answered' }),
  ...departures("during the client's closing handshake", { frames: [closeFrame], leaves: 'answered' }),
  ...departures("during the server's closing handshake", { pieces: [ask('/closes')], leaves: 'begun' }),
  kind('gone in the packet of its handshake', { leaves: 'with it' }, 'any'),
  kind('with many messages', { frames: [smallFrames.slice(0, 2).join('').repeat(200) + closeFrame], messages: 400 }),
  ...departures('with many messages, unread', {
    frames: [smallFrames.join('').repeat(200)],
    leaves: 'answered',
    reads: false
  }),
  ...departures('with many messages and no listener', {
    pieces: [ask('/deaf')],
    frames: [smallFrames.join('').repeat(200)],
    leaves: 'answered'
  })
]

/** Takes as long as the deadline, so it is rare. */
const stalled = refused('stalled until its deadline', 503, ask('/stall'))

/** The kind of a visit, in rotation. */
export const kindOf = (index: number): Kind => (index % 1_000 === 999 ? stalled : (kinds[index % kinds.length] as Kind))
