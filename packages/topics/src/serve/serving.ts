import { goingAway, unauthorized } from '../close-code.ts'
import type { Delivery } from '../delivery.ts'
import { checkNames, expected } from '../errors.ts'
import { longestId } from '../presence/member.ts'
import { open } from '../ready-state.ts'
import type { MessageListener, ServedSocket, TopicSocket } from '../socket.ts'
import { checkSubscription } from '../subscriptions.ts'
import type { TopicsAccess } from './access.ts'
import { type Host, Session } from './session.ts'

/** The reason that core's `revoke` gives. */
const revoked = 'credential revoked'

interface Parts extends Omit<Host, 'replay' | 'fail'> {
  readonly delivery: Delivery
}

/** All sockets that speak the protocol. */
export class Serving {
  readonly #host: Host
  readonly #sessions = new Map<TopicSocket, Session>()
  /** Those whose messages are requests. */
  readonly #listening = new Set<TopicSocket>()
  readonly #keys = new Map<string, Set<Session>>()
  readonly #onMessage: MessageListener
  readonly #onClose: (this: TopicSocket) => void

  constructor({ delivery, ...parts }: Parts) {
    const { subscriptions } = parts
    this.#host = {
      ...parts,
      replay: (socket, topic, offset) => {
        const member = subscriptions.memberOf(socket)
        if (member !== undefined) delivery.replay(member, topic, offset)
      },
      fail: (error, socket) => delivery.fail(error, socket)
    }
    const sessions = this.#sessions
    const { fail } = this.#host
    const end = (socket: TopicSocket): void => this.end(socket)
    this.#onMessage = function (this: TopicSocket, data: Parameters<MessageListener>[0], isBinary: boolean) {
      try {
        sessions.get(this)?.receive(bytesOf(data), isBinary)
      } catch (error) {
        fail(error, this)
      }
    }
    this.#onClose = function () {
      end(this)
    }
  }

  get count(): number {
    return this.#sessions.size
  }

  has(socket: TopicSocket): boolean {
    return this.#sessions.has(socket)
  }

  serve(socket: ServedSocket, access: TopicsAccess): void {
    checkSubscription('serve', socket, '')
    checkAccess('serve', access)
    if (this.#sessions.has(socket)) throw new TypeError('serve: the socket is served already')
    if (this.#host.subscriptions.memberOf(socket) !== undefined) {
      throw new TypeError('serve: the socket has subscriptions already, so its client expects plain messages')
    }
    // It would emit no `close` that ends the session.
    if (socket.readyState !== open) return
    this.open(socket, access)
    socket.on('message', this.#onMessage)
    this.#listening.add(socket)
  }

  /** Begins the session of a socket, or of what stands for one over plain HTTP. */
  open(socket: TopicSocket, access: TopicsAccess): Session {
    const session = new Session(socket, access, this.#host)
    socket.once('close', this.#onClose)
    this.#sessions.set(socket, session)
    const { key } = access
    if (key !== undefined) this.#keys.set(key, (this.#keys.get(key) ?? new Set()).add(session))
    return session
  }

  /** Ends the session of a socket, if it has one, and all its subscriptions. */
  end(socket: TopicSocket): void {
    const session = this.#sessions.get(socket)
    if (session === undefined) return
    this.#sessions.delete(socket)
    const { key } = session.access
    const others = key === undefined ? undefined : this.#keys.get(key)
    others?.delete(session)
    if (key !== undefined && others?.size === 0) this.#keys.delete(key)
    session.end()
    socket.off('close', this.#onClose)
    if (this.#listening.delete(socket)) (socket as ServedSocket).off('message', this.#onMessage)
  }

  revoke(key: string): number {
    if (typeof key !== 'string') throw expected('revoke: key', 'a string', key)
    const sessions = [...(this.#keys.get(key) ?? [])]
    for (const session of sessions) {
      session.isRevoked = true
      this.#close(session.socket, unauthorized, revoked)
    }
    return sessions.length
  }

  /** Ends all sessions, and closes their sockets: without topics they have nothing to say. */
  close(): void {
    for (const socket of [...this.#sessions.keys()]) this.#close(socket, goingAway)
  }

  #close(socket: TopicSocket, code: number, reason?: string): void {
    const session = this.#sessions.get(socket)
    // It does not come back.
    if (session !== undefined) session.isPoll = false
    try {
      this.end(socket)
      socket.close(code, reason)
    } catch (error) {
      this.#host.fail(error, socket)
    }
  }
}

/** The bytes of a message, whatever the `binaryType` of its socket. */
function bytesOf(data: Buffer | ArrayBuffer | Buffer[]): Buffer {
  if (Buffer.isBuffer(data)) return data
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data)
}

const accessNames: Record<keyof TopicsAccess, true> = { mayRead: true, mayPublish: true, key: true, presence: true }
const presenceNames = { id: true, info: true }

/** @throws TypeError */
export function checkAccess(call: string, access: TopicsAccess): void {
  if (typeof access !== 'object' || access === null) {
    throw expected(`${call}: access`, 'an object with mayRead and mayPublish', access)
  }
  checkNames(`${call}: access`, access, accessNames)
  const { mayRead, mayPublish, key, presence } = access
  if (typeof mayRead !== 'function') throw expected(`${call}: access.mayRead`, 'a function', mayRead)
  if (typeof mayPublish !== 'function') throw expected(`${call}: access.mayPublish`, 'a function', mayPublish)
  if (key !== undefined && typeof key !== 'string') throw expected(`${call}: access.key`, 'a string', key)
  if (presence === undefined) return
  if (typeof presence !== 'object' || presence === null) {
    throw expected(`${call}: access.presence`, 'an object with an id', presence)
  }
  checkNames(`${call}: access.presence`, presence, presenceNames)
  const { id } = presence
  if (typeof id !== 'string' || id === '' || id.length > longestId) {
    throw expected(`${call}: access.presence.id`, `a string of 1 to ${longestId} characters`, id)
  }
}
