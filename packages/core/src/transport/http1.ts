import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { show } from '../errors.ts'
import { closeAfterReading } from '../refuse.ts'
import { factsOf } from '../reports/facts.ts'
import { hasContent, isOpeningHandshake } from '../rules/request.ts'
import { ignoreError, type Receiver } from './dispatch.ts'
import { afterThoseInFront, receive, type Upgrade } from './http1-exchange.ts'
import { ordinaryHead, serveAsOrdinaryRequest } from './replay.ts'
import { Sharing } from './sharing.ts'

/** Newer versions of Node ask this before they take a request for an upgrade (https://nodejs.org/api/http.html). */
interface UpgradeDecider {
  shouldUpgradeCallback?: ((req: IncomingMessage) => boolean) | undefined
}

/** Who takes the handshakes of a server: one listener of ours serves all its attachments, the first one first. */
const receiversOf = new WeakMap<Server, { readonly list: Receiver[]; stop(): void }>()

/**
 * Takes the handshakes of a server.
 * @returns a function that stops it and leaves the server as it was
 */
export function listenHttp1(server: Server, receiver: Receiver): () => void {
  const receivers = receiversOf.get(server) ?? startListening(server)
  receivers.list.push(receiver)
  return () => {
    receivers.list.splice(receivers.list.indexOf(receiver), 1)
    if (receivers.list.length > 0) return
    receiversOf.delete(server)
    receivers.stop()
  }
}

function startListening(server: Server): { readonly list: Receiver[]; stop(): void } {
  const list: Receiver[] = []
  const onUpgrade = (req: IncomingMessage, rawSocket: Duplex, head: Buffer): void => {
    // Node has taken its own listener off: without one, a reset during the handshake ends the process.
    rawSocket.on('error', ignoreError)
    const others = server.listenerCount('upgrade') - 1
    const upgrade = { req, rawSocket, head }
    if (others > 0 || list.length > 1) share(server, list, others, upgrade)
    else take(server, upgrade, () => receive(list[0] as Receiver, upgrade))
  }
  // In front of the others, so that none of them can refuse what the application accepts.
  server.prependListener('upgrade', onUpgrade)
  const restoreRule = leaveBodiesToNode(server)
  const receivers = {
    list,
    stop: () => {
      server.removeListener('upgrade', onUpgrade)
      restoreRule()
    }
  }
  receiversOf.set(server, receivers)
  return receivers
}

/** Gives a handshake to the attachments, one after the other, and to the other listeners where none answers it. */
function share(server: Server, list: readonly Receiver[], others: number, upgrade: Upgrade): void {
  const claimants = list.map((receiver) => ({ receiver, claim: claimOf(receiver, upgrade.req) }))
  const claimed = claimants.find(({ claim }) => claim === true)
  const candidates = claimed === undefined ? claimants.filter(({ claim }) => claim !== false) : [claimed]
  // What nobody claims is answered all the same, by the first application.
  const turns = (candidates.length > 0 || others > 0 ? candidates : claimants).map(({ receiver }) => receiver)
  if (turns.length === 0) return
  const sharing = new Sharing(upgrade.rawSocket, others, claimed !== undefined)
  process.nextTick(() => {
    // Of a handshake that another one has taken the application is told; anything else is theirs alone.
    if (sharing.taken && (hasLostFields(server, upgrade.req) || !isOpeningHandshake(upgrade.req))) return
    take(server, upgrade, () => takeTurns(turns, upgrade, sharing), sharing)
  })
}

/** Sees to a request for an upgrade: `receive` is called for a handshake. */
function take(server: Server, upgrade: Upgrade, receive: () => void, sharing?: Sharing): void {
  const { req, rawSocket } = upgrade
  if (hasLostFields(server, req)) {
    sharing?.release()
    afterThoseInFront(rawSocket, () => answerAndClose(rawSocket, '431 Request Header Fields Too Large'))
  } else if (isOpeningHandshake(req)) {
    receive()
  } else {
    sharing?.release()
    afterThoseInFront(rawSocket, () => returnToNode(server, upgrade))
  }
}

/**
 * Whether Node may have dropped fields of a request. Its parser has read them, but nobody sees them here, and a second
 * `Host` or a `Content-Length` may be among them.
 * https://nodejs.org/api/http.html#servermaxheaderscount
 */
function hasLostFields({ maxHeadersCount }: Server, { rawHeaders }: IncomingMessage): boolean {
  // Node's default is 2000 names and values.
  const most = maxHeadersCount === null || maxHeadersCount === undefined ? 2_000 : maxHeadersCount * 2
  return most > 0 && rawHeaders.length >= most
}

function answerAndClose(rawSocket: Duplex, status: string): void {
  rawSocket.write(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
  closeAfterReading(rawSocket)
}

function takeTurns([receiver, ...rest]: readonly Receiver[], upgrade: Upgrade, sharing: Sharing): void {
  const next = rest.length === 0 ? undefined : () => takeTurns(rest, upgrade, sharing)
  receive(receiver as Receiver, { ...upgrade, sharing, next })
}

/** What `claims` says; undefined where it is not given, or fails. */
function claimOf({ options }: Receiver, req: IncomingMessage): boolean | undefined {
  if (options.claims === undefined) return undefined
  try {
    const claim: unknown = options.claims(req)
    if (typeof claim === 'boolean') return claim
    throw new TypeError(`claims: the function must return true or false at once; it returned ${show(claim)}`)
  } catch (error) {
    options.onError(error, { phase: 'dispatch', request: factsOf(req), socket: undefined })
    return undefined
  }
}

function returnToNode(server: Server, { req, rawSocket, head }: Upgrade): void {
  const requestHead = ordinaryHead(req)
  if (requestHead === undefined) {
    answerAndClose(rawSocket, '400 Bad Request')
    return
  }
  // Node's parser brings its own.
  rawSocket.removeListener('error', ignoreError)
  serveAsOrdinaryRequest(server, rawSocket, Buffer.concat([Buffer.from(requestHead, 'latin1'), head]))
}

/** From here on Node reads a request's body before it hands over the connection. */
const firstMajorThatReadsBodies = 25

/**
 * Where Node would read the body of a request for another protocol away, such requests stay with Node from the start;
 * with other listeners for `upgrade` on the server they may be theirs, so the server's own rule holds.
 * Everywhere else `serveAsOrdinaryRequest` does better than Node, which loses what is pipelined behind them.
 */
function leaveBodiesToNode(server: Server & UpgradeDecider): () => void {
  const previous = server.shouldUpgradeCallback
  if (previous === undefined || Number.parseInt(process.versions.node, 10) < firstMajorThatReadsBodies) return () => {}
  const decide = (req: IncomingMessage): boolean =>
    !hasContent(req) || (server.listenerCount('upgrade') > 1 && previous.call(server, req))
  server.shouldUpgradeCallback = decide
  return () => {
    if (server.shouldUpgradeCallback === decide) server.shouldUpgradeCallback = previous
  }
}
