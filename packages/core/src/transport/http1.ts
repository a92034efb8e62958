import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { responseOn } from '../node.ts'
import { factsOf } from '../reports/facts.ts'
import { hasContent, isOpeningHandshake } from '../rules/request.ts'
import { show } from '../show.ts'
import type { Receiver } from './dispatch.ts'
import { ignoreError } from './events.ts'
import { receive } from './http1-exchange.ts'
import { afterEarlierResponses, isInTurn } from './queue.ts'
import { type BusySocket, RawSocket } from './raw-socket.ts'
import { RawView } from './raw-view.ts'
import { ordinaryHead, serveAsOrdinaryRequest } from './replay.ts'
import { type MakeResponse, responsesOf } from './response-class.ts'
import { Sharing } from './sharing.ts'

/** Newer versions of Node call this to decide whether a request is an upgrade. https://nodejs.org/api/http.html */
interface UpgradeDecider {
  shouldUpgradeCallback?: ((req: IncomingMessage) => boolean) | undefined
}

/** An `upgrade` event: the server that emitted it, and its arguments. */
interface Upgrade {
  readonly server: Server
  readonly req: IncomingMessage
  readonly rawSocket: Duplex
  readonly head: Buffer
}

/** Our one `upgrade` listener on a server. It serves all attachments of the server, in order. */
interface Listening {
  readonly receivers: Receiver[]
  stop(): void
}

const listening = new WeakMap<Server, Listening>()

/**
 * Listens for handshakes on a server.
 * @returns a function that stops listening and leaves the server as it was
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
  const makeResponse = responsesOf(server)
  const onUpgrade = (req: IncomingMessage, rawSocket: BusySocket, head: Buffer): void => {
    // Node has removed its own listener. Without one, a connection reset during the handshake would end the process.
    rawSocket.on('error', ignoreError)
    const others = server.listenerCount('upgrade') - 1
    if (others > 0 || receivers.length > 1) {
      share(receivers, others, { server, req, rawSocket, head }, makeResponse)
    } else {
      const [receiver] = receivers as [Receiver]
      take(receiver, new RawSocket(rawSocket, head, receiver.connections), server, req, makeResponse)
    }
  }
  // First, so that no other listener can refuse what the application accepts.
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

/**
 * Offers a handshake to one attachment after the other. If none of them answers it, it is left to the other listeners.
 */
function share(receivers: readonly Receiver[], others: number, upgrade: Upgrade, makeResponse: MakeResponse): void {
  const { server, req, rawSocket, head } = upgrade
  // A listener before ours has taken it.
  if (rawSocket.listenerCount('data') > 0 || rawSocket.destroyed) return
  const claimants = receivers.map((receiver) => ({ receiver, claim: claimOf(receiver, req) }))
  const claimed = claimants.find(({ claim }) => claim === true)
  const candidates = claimed === undefined ? claimants.filter(({ claim }) => claim !== false) : [claimed]
  // If no attachment wants the handshake and there are no other listeners, the applications answer it anyway.
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
      // The application also sees a handshake that another listener has taken. Any other upgrade is left to that
      // listener.
      if (sharing.taken && (hasLostFields(server, req) || !isOpeningHandshake(req))) return
      const owner = new RawSocket(view ?? rawSocket, head, first.connections, rawSocket)
      for (const receiver of rest) sharing.addTurn(() => receive(receiver, req, owner, makeResponse, sharing))
      take(first, owner, server, req, makeResponse, sharing)
    })
  }
  // While an earlier response is unfinished, there is nothing to guard: whatever a listener writes ends up in it.
  if (responseOn(rawSocket) !== undefined) {
    const waiting = new RawSocket(rawSocket, undefined, first.connections)
    afterEarlierResponses(waiting, first, () => {
      const bytes = waiting.release()
      if (bytes !== undefined) rawSocket.unshift(bytes)
      begin()
    })
  } else {
    begin()
  }
}

/** Handles an upgrade request: an opening handshake, or something else. */
function take(
  receiver: Receiver,
  owner: RawSocket,
  server: Server,
  req: IncomingMessage,
  makeResponse: MakeResponse,
  sharing?: Sharing
): void {
  if (hasLostFields(server, req) || !isOpeningHandshake(req)) {
    sharing?.claim()
    takeOther(receiver, owner, server, req)
  } else if (isInTurn(owner)) {
    receive(receiver, req, owner, makeResponse, sharing)
  } else {
    receiveLater(receiver, req, owner, makeResponse, sharing)
  }
}

function takeOther(receiver: Receiver, owner: RawSocket, server: Server, req: IncomingMessage): void {
  afterEarlierResponses(owner, receiver, () => {
    if (hasLostFields(server, req)) answerAndClose(owner, '431 Request Header Fields Too Large')
    else returnToNode(owner, server, req)
  })
}

const receiveLater: typeof receive = (receiver, req, owner, ...rest) =>
  afterEarlierResponses(owner, receiver, () => receive(receiver, req, owner, ...rest))

/**
 * Whether Node may have dropped header fields of a request. Its parser has read them, but the request does not have
 * them, and a second `Host` or a `Content-Length` may be among them.
 * https://nodejs.org/api/http.html#servermaxheaderscount
 */
function hasLostFields({ maxHeadersCount }: Server, { rawHeaders }: IncomingMessage): boolean {
  // By default Node keeps 2000 entries of `rawHeaders`: names and values.
  const most = maxHeadersCount === null || maxHeadersCount === undefined ? 2_000 : maxHeadersCount * 2
  return most > 0 && rawHeaders.length >= most
}

function answerAndClose(owner: RawSocket, status: string): void {
  owner.stream.write(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
  owner.linger()
}

/** What `claims` returns; undefined if it is not set, or fails. */
function claimOf({ options }: Receiver, req: IncomingMessage): boolean | undefined {
  if (options.claims === undefined) return undefined
  try {
    const claim: unknown = options.claims(req)
    if (typeof claim === 'boolean') return claim
    throw new TypeError(`claims: the function must return true or false synchronously; got ${show(claim)}`)
  } catch (error) {
    options.onError(error, { phase: 'dispatch', request: factsOf(req), socket: undefined })
    return undefined
  }
}

/** How many views can be stacked. The request that adds the last one is answered, then the connection is closed. */
const mostViews = 8

function returnToNode(owner: RawSocket, server: Server, req: IncomingMessage): void {
  // Each such request adds a view if other listeners hold the connection too.
  const isLast = owner.stream instanceof RawView && owner.stream.depth === mostViews
  const requestHead = ordinaryHead(req, isLast)
  if (requestHead === undefined) {
    answerAndClose(owner, '400 Bad Request')
    return
  }
  const { stream } = owner
  const rest = owner.release() ?? Buffer.alloc(0)
  // Node adds its own again.
  stream.removeListener('error', ignoreError)
  serveAsOrdinaryRequest(server, stream, Buffer.concat([Buffer.from(requestHead, 'latin1'), rest]))
}

/** From this version on, Node reads the body of a request before it emits `upgrade`. */
const firstMajorThatReadsBodies = 25

/**
 * Leaves upgrade requests with a body to Node if Node would consume the body before it emits `upgrade`. If there are
 * other `upgrade` listeners, such a request may be theirs, so the server's own rule decides. All other requests go
 * through `serveAsOrdinaryRequest`, because Node loses requests that are pipelined after them.
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
