import type { Random } from '@oneport/kit'

/** A request before it is serialized. Strings hold bytes as latin1. */
export interface Draft {
  method: string
  target: string
  version: string
  fields: [name: string, value: string][]
  body: string
}

export const host = 'app.example'

export const key = 'x3JJHMbDL1EzLkh9GBhXDw=='

/** Paths of the servers under test; see endpoints.ts. The first one always accepts. */
export const paths = [
  '/echo',
  '/echo',
  '/echo',
  '/echo',
  '/room/lobby',
  '/slow',
  '/late',
  '/subprotocols',
  '/deflate',
  '/refused',
  '/throws',
  '/handler-throws',
  '/handler-rejects',
  '/listener-throws',
  '/closes',
  '/terminates',
  '/plain',
  '/missing'
] as const

/** A valid opening handshake. */
export const handshakeDraft = (target: string, extra: readonly [string, string][] = []): Draft => ({
  method: 'GET',
  target,
  version: 'HTTP/1.1',
  fields: [
    ['Host', host],
    ['Upgrade', 'websocket'],
    ['Connection', 'Upgrade'],
    ['Sec-WebSocket-Key', key],
    ['Sec-WebSocket-Version', '13'],
    ...extra
  ],
  body: ''
})

/** Fields that a client may add without changing the answer. */
const harmless: readonly [string, string][] = [
  ['Origin', `http://${host}`],
  ['Origin', `https://${host}`],
  ['User-Agent', 'fuzz'],
  ['Cookie', 'a=1; b=2'],
  ['Cache-Control', 'no-cache'],
  ['Sec-WebSocket-Protocol', 'chat.v1, chat.v2'],
  ['Sec-WebSocket-Extensions', 'permessage-deflate; client_max_window_bits'],
  ['Accept-Language', 'en-GB,en;q=0.5']
]

/** A valid opening handshake, with some of the fields that clients send. */
export function anyHandshake(random: Random): Draft {
  const names = new Set<string>()
  const extra = random.shuffle(harmless).filter(([name]) => {
    const taken = !names.has(name) && random.chance(0.2)
    if (taken) names.add(name)
    return taken
  })
  // A handshake that is never answered takes until its deadline, so a few are enough.
  return handshakeDraft(random.chance(0.003) ? '/stall' : random.pick(paths), extra)
}

/** Requests that precede a handshake on the same connection. */
export function anyOrdinaryRequest(random: Random): Draft {
  const fields: [string, string][] = [['Host', host]]
  const draft: Draft = { method: 'GET', target: '/plain', version: 'HTTP/1.1', fields, body: '' }
  switch (random.below(6)) {
    case 0:
      return { ...draft, target: '/missing' }
    case 1:
      return { ...draft, method: 'POST', fields: [...fields, ['Content-Length', '5']], body: 'hello' }
    case 2:
      return {
        ...draft,
        method: 'POST',
        fields: [...fields, ['Transfer-Encoding', 'chunked']],
        body: '2\r\nhi\r\n0\r\n\r\n'
      }
    case 3:
      return { ...draft, fields: [...fields, ['Connection', 'Upgrade, HTTP2-Settings'], ['Upgrade', 'h2c']] }
    case 4:
      return { ...draft, method: 'HEAD' }
    default:
      return draft
  }
}

export const write = ({ method, target, version, fields, body }: Draft): string =>
  `${method} ${target} ${version}\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`
