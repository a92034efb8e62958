import { asksForWebSocket, membersOf, type Request, valuesOf } from './requests.ts'
import { theirPath } from './settings.ts'

/**
 * What RFC 6455 §4.2.1 says about answering a request with 101. `forbidden` and `required` are only used if they are
 * certain; everything else is `permitted`.
 */
export type Verdict = { readonly kind: 'forbidden' | 'permitted' | 'required'; readonly why: string }

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const outsideExtensions = /[^\t !#$%&'*+\-.^_`|~0-9A-Za-z;=,"\\]/

/** Why a request must not be answered with 101. Each reason begins with its section. */
const prohibitions: readonly (readonly [why: string, holds: (request: Request) => boolean])[] = [
  ['§4.2.1 (1): the method is not GET', ({ method }) => method !== 'GET'],
  ['§4.2.1 (1): the version is below 1.1', ({ version }) => Number(version) < 1.1],
  ['§4.2.1 (1): the target is not a resource', ({ target }) => !/^(?:\/|[a-z][a-z0-9+.-]*:\/\/)/i.test(target)],
  ['§4.2.1 (2), RFC 9112 §3.2: not exactly one Host', (request) => valuesOf(request, 'host').length !== 1],
  ['RFC 9112 §3.2: Host is malformed', (request) => /[^A-Za-z0-9\-._~!$&'()*+,;=%:[\]]/.test(hostOf(request))],
  [
    '§4.2.1 (3): Upgrade does not contain websocket',
    (request) => !membersOf(request, 'upgrade').some((member) => /^websocket(?:\/|$)/i.test(member))
  ],
  [
    '§4.2.1 (4): Connection does not contain Upgrade',
    (request) => !membersOf(request, 'connection').some((member) => member.toLowerCase() === 'upgrade')
  ],
  ['§11.3.1: not exactly one Sec-WebSocket-Key', (request) => valuesOf(request, 'sec-websocket-key').length !== 1],
  [
    '§4.2.1 (5): the key is not 16 bytes',
    (request) => valuesOf(request, 'sec-websocket-key').some((value) => !/^[A-Za-z0-9+/]{22}==$/.test(value))
  ],
  ['§4.2.1 (6): the version is not 13', (request) => valuesOf(request, 'sec-websocket-version').join() !== '13'],
  ['§4.2.2 (4): the origin is a foreign one', hasForeignOrigin],
  [
    '§9.1: the extensions are malformed',
    (request) =>
      has(request, 'sec-websocket-extensions') &&
      (membersOf(request, 'sec-websocket-extensions').length === 0 ||
        valuesOf(request, 'sec-websocket-extensions').some((value) => outsideExtensions.test(value)))
  ],
  ['§4.1 (10): the subprotocols are malformed', (request) => hasBadSubprotocols(request)],
  // Some parsers would read bytes after the head as content, others as frames.
  ['RFC 9110 §7.8: the request has content', ({ hasContent }) => hasContent]
]

const hostOf = (request: Request): string => valuesOf(request, 'host').join()

const has = (request: Request, name: string): boolean => valuesOf(request, name).length > 0

/** The servers under test use the default rule, the same origin. */
function hasForeignOrigin(request: Request): boolean {
  const origins = valuesOf(request, 'origin')
  if (origins.length !== 1) return origins.length > 1
  const [, authority] = /^https?:\/\/([^/]+)$/i.exec(origins[0] ?? '') ?? []
  return authority === undefined || withoutPort(authority) !== withoutPort(hostOf(request))
}

const withoutPort = (authority: string): string => authority.toLowerCase().replace(/:\d*$/, '')

function hasBadSubprotocols(request: Request): boolean {
  if (!has(request, 'sec-websocket-protocol')) return false
  const names = membersOf(request, 'sec-websocket-protocol')
  return names.length === 0 || new Set(names).size !== names.length || !names.every((name) => token.test(name))
}

/** Paths of the servers under test that accept every valid handshake. */
const accepting = new Set(['/echo', '/room/lobby', '/slow', '/late', '/subprotocols', '/deflate'])

/** Fields with no effect on whether a request is accepted. */
const known = new Set([
  'accept-language',
  'cache-control',
  'connection',
  'cookie',
  'host',
  'origin',
  'sec-websocket-extensions',
  'sec-websocket-key',
  'sec-websocket-protocol',
  'sec-websocket-version',
  'upgrade',
  'user-agent'
])

/** Whether a request may, must or must not be answered with 101. */
export function judge(request: Request): Verdict {
  if (request.target === theirPath) return { kind: 'permitted', why: 'another listener has rules of its own' }
  const prohibition = prohibitions.find(([, holds]) => holds(request))
  if (prohibition !== undefined) return { kind: 'forbidden', why: prohibition[0] }
  return isBeyondDoubt(request)
    ? { kind: 'required', why: 'it is valid' }
    : { kind: 'permitted', why: 'no certain rule forbids it' }
}

const isBeyondDoubt = (request: Request): boolean =>
  accepting.has(request.target) &&
  request.version === '1.1' &&
  asksForWebSocket(request) &&
  !request.hasTab &&
  request.headLength < 8_000 &&
  // The last 4 bits of canonical base64 are zero.
  /[AQgw]==$/.test(valuesOf(request, 'sec-websocket-key').join()) &&
  request.fields.length < 100 &&
  request.fields.every(([name]) => known.has(name)) &&
  /^[a-z0-9.]+$/i.test(hostOf(request)) &&
  (!has(request, 'origin') || /^http:\/\/[a-z.]+$/.test(valuesOf(request, 'origin').join())) &&
  membersOf(request, 'sec-websocket-extensions').every((member) => /^[a-z-]+(?:; [a-z_]+(?:=\d+)?)*$/.test(member))

/** The least that ambiguous bytes must contain to be answered with 101. */
const least = [/GET/, /HTTP\/[12]\.\d/, /host/i, /upgrade/i, /websocket/i, /connection/i, /sec-websocket-key/i, /13/]

/** Whether ambiguous bytes contain all parts of an opening handshake. */
export const couldBeHandshake = (text: string): boolean => least.every((part) => part.test(text))
