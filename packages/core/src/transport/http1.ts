import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { responseOn } from '../node.ts'
import { factsOf } from '../reports/facts.ts'
import { hasContent, isOpeningHandshake } from '../rules/request.ts'
import { show } from '../show.ts'
import type { Receiver } from './dispatch.ts'
import { ignoreError } from './events.ts'
import { receive, shield } from './http1-exchange.ts'
import { afterThoseInFront } from './queue.ts'
import { type BusySocket, RawSocket } from './raw-socket.ts'
import { RawView } from './raw-view.ts'
import { ordinaryHead, serveAsOrdinaryRequest } from './replay.ts'
import { type MakeResponse, responsesOf } from './response-class.ts'
import { Sharing } from './sharing.ts'

/** Newer versions of Node ask this before they take a request for an upgrade (https://nodejs.org/api/http.html). */
interface UpgradeDecider {
  shouldUpgradeCallback?: ((req: IncomingMessage) => boolean) | undefined
}

/** What Node hands to a listener for `upgrade`. */
interface Upgrade {
  readonly server: Server
  readonly req: IncomingMessage
  readonly rawSocket: Duplex
  readonly head: Buffer
}

/** Who takes the handshakes of a server: one listener of ours serves all its attachments, the first one first. */
interface Listening {
  readonly receivers: Receiver[]
  stop(): void
}

const listening = new WeakMap<Server, Listening>()

/**
 * Takes the handshakes of a server.
 * @returns a function that stops it and leaves the server as it was
 */
export function listenHttp1(server: Server, receiver: Receiver): () => void {
  const { receivers, stop } = listening.get(server) ?? startListening(server)
  receivers.push(receiver)
  return () => {
    receivers.splice(receivers.indexOf(receiver), 1)
    if (receivers.length > 0) return
    listening.delete(server)
    stop()
  }
}

function startListening(server: Server): Listening {
  const receivers: Receiver[] = []
  const makeResponse = responsesOf(server, shield)
  const onUpgrade = (req: IncomingMessage, rawSocket: BusySocket, head: Buffer): void => {
    // Node has taken its own listener off: without one, a reset during the handshake ends the process.
    rawSocket.on('error', ignoreError)
    const others = server.listenerCount('upgrade') - 1
    const upgrade = { server, req, rawSocket, head }
    if (others > 0 || receivers.length > 1) {
      share(receivers, others, upgrade, makeResponse)
    } else {
      const [receiver] = receivers as [Receiver]
      const owner = new RawSocket(rawSocket, head, receiver.connections)
      take(receiver, owner, upgrade, () => receive(receiver, req, owner, makeResponse))
    }
  }
  // In front of the others, so that none of them can refuse what the application accepts.
  server.prependListener('upgrade', onUpgrade)
  const restoreRule = leaveBodiesToNode(server)
  const started = {
    receivers,
    stop: () => {
      server.removeListener('upgrade', onUpgrade)
      restoreRule()
    }
  }
  listening.set(server, started)
  return started
}

/** Gives a handshake to the attachments, one after the other, and to the other listeners where none answers it. */
function share(receivers: readonly Receiver[], others: number, upgrade: Upgrade, makeResponse: MakeResponse): void {
  const { server, req, rawSocket, head } = upgrade
  // One that stands in front of ours has taken it already.
  if (rawSocket.listenerCount('data') > 0 || rawSocket.destroyed) return
  const claimants = receivers.map((receiver) => ({ receiver, claim: claimOf(receiver, req) }))
  const claimed = claimants.find(({ claim }) => claim === true)
  const candidates = claimed === undefined ? claimants.filter(({ claim }) => claim !== false) : [claimed]
  // What nobody claims is still answered, by the first application.
  const asked = (candidates.length > 0 || others > 0 ? candidates : claimants).map(({ receiver }) => receiver)
  const [first, ...rest] = asked
  if (first === undefined) {
    rawSocket.removeListener('error', ignoreError)
    return
  }
  const begin = (): void => {
    const view = others > 0 ? new RawView(rawSocket) : undefined
    const sharing = new Sharing(rawSocket, view, others, claimed !== undefined)
    process.nextTick(() => {
      // Of a handshake that another one has taken the application is told; anything else is theirs alone.
      if (sharing.taken && (hasLostFields(server, req) || !isOpeningHandshake(req))) return
      const owner = new RawSocket(view ?? rawSocket, head, first.connections, rawSocket)
      for (const receiver of rest) sharing.addTurn(() => receive(receiver, req, owner, makeResponse, sharing))
      take(
        first,
        owner,
        { ...upgrade, rawSocket: owner.stream },
        () => receive(first, req, owner, makeResponse, sharing),
        sharing
      )
    })
  }
  // Behind an unfinished response all of them would write into it: there is nothing to guard yet.
  if (responseOn(rawSocket) !== undefined) {
    const waiting = new RawSocket(rawSocket, undefined, first.connections)
    afterThoseInFront(waiting, first, () => {
      const bytes = waiting.release()
      if (bytes !== undefined) rawSocket.unshift(bytes)
      begin()
    })
  } else {
    begin()
  }
}

/** Sees to a request for an upgrade: `receive` is called for a handshake. */
function take(receiver: Receiver, owner: RawSocket, upgrade: Upgrade, receive: () => void, sharing?: Sharing): void {
  const { server, req } = upgrade
  if (hasLostFields(server, req)) {
    sharing?.claim()
    afterThoseInFront(owner, receiver, () => answerAndClose(owner, '431 Request Header Fields Too Large'))
  } else if (isOpeningHandshake(req)) {
    afterThoseInFront(owner, receiver, receive)
  } else {
    sharing?.claim()
    afterThoseInFront(owner, receiver, () => returnToNode(owner, upgrade))
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

function answerAndClose(owner: RawSocket, status: string): void {
  owner.stream.write(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
  owner.linger()
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

/** So many views may lie on each other; behind the answer to the request of the last one the connection is closed. */
const mostViews = 8

function returnToNode(owner: RawSocket, { server, req }: Upgrade): void {
  // Each of these requests on a connection that others hold too adds a view.
  const isLast = owner.stream instanceof RawView && owner.stream.depth === mostViews
  const requestHead = ordinaryHead(req, isLast)
  if (requestHead === undefined) {
    answerAndClose(owner, '400 Bad Request')
    return
  }
  const { stream } = owner
  const rest = owner.release() ?? Buffer.alloc(0)
  // Node's parser brings its own.
  stream.removeListener('error', ignoreError)
  serveAsOrdinaryRequest(server, stream, Buffer.concat([Buffer.from(requestHead, 'latin1'), rest]))
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
