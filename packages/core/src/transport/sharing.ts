import type { ServerResponse } from 'node:http'
import type { Duplex, Writable } from 'node:stream'
import type { Handshake } from '../handshake.ts'
import { override } from '../raw-methods.ts'
import { detach, ignoreError } from './events.ts'
import type { RawView } from './raw-view.ts'

type Callback = (error?: Error) => void

type Adder = 'on' | 'once' | 'addListener' | 'prependListener' | 'prependOnceListener'

/**
 * A handshake on a server that has other `upgrade` listeners, or several attachments.
 *
 * Node passes every upgrade to every listener. Some refuse at once what is not theirs (`ws` with a path writes 400,
 * others destroy the socket), some later (Engine.IO after a second, a proxy after it has asked its target). So the raw
 * socket is guarded until another listener has taken it. A listener that writes a 101 before the application has
 * accepted gets the socket; anything else that listeners write, and their `end()`, stays off the wire. The application
 * works on a view.
 */
export class Sharing {
  /** Whether another listener has taken the handshake. */
  taken = false
  readonly #raw: Duplex
  /** Undefined if there are no other listeners, only further attachments. */
  readonly #view: RawView | undefined
  readonly #others: number
  readonly #isClaimed: boolean
  /** Whether no other listener can take the raw socket any more. */
  #isOurs = false
  #refusals = 0
  /** Each starts the turn of a further application. */
  readonly #next: (() => void)[]
  #handshake: Handshake | undefined
  /** An answer that is held back while the others may take the handshake. Node buffers it: it has no socket. */
  #kept: ServerResponse | undefined
  #lift: () => void = () => {}
  #unshifted: unknown[] = []

  /**
   * Must be called in the first `upgrade` listener, so that the guard is in place before the others get the socket.
   * @param others the number of other listeners
   * @param isClaimed whether `claims` says that the handshake is ours, so that a 404 is a final answer
   */
  constructor(raw: Duplex, view: RawView | undefined, others: number, isClaimed: boolean) {
    this.#raw = raw
    this.#view = view
    this.#others = others
    this.#isClaimed = isClaimed
    this.#next = []
    if (view !== undefined) this.#lift = override(raw, this.#guard())
  }

  /** Adds an application that is asked if those before it answer 404. */
  addTurn(next: () => void): void {
    this.#next.push(next)
  }

  /** Starts the turn of one attachment. */
  begin(handshake: Handshake): void {
    this.#handshake = handshake
  }

  /** Makes the raw socket ours: from now on it does nothing for the others. */
  claim(): void {
    if (this.#isOurs) return
    this.#isOurs = true
    this.#view?.seal()
  }

  /**
   * Decides what happens to an answer.
   * @returns whether to send it now
   */
  answer(status: number): boolean {
    const handshake = this.#handshake as Handshake
    if (this.taken) {
      handshake.discard()
      return false
    }
    const leaves = status === 404 || !handshake.isAsked
    const next = status === 404 ? this.#next.shift() : undefined
    if (next !== undefined) {
      handshake.discard()
      process.nextTick(next)
      return false
    }
    if (leaves && !this.#isClaimed && this.#refusals < this.#others) {
      this.#keep(handshake)
      return false
    }
    this.claim()
    return true
  }

  /** Sends the answer that was held back, if there is one. @returns whether there was */
  sendKept(): boolean {
    const kept = this.#kept
    if (kept === undefined) return false
    this.#kept = undefined
    this.claim()
    kept.assignSocket((this.#view ?? this.#raw) as never)
    this.#handshake?.rawSocket.answer()
    return true
  }

  #keep({ response, rawSocket, connections, options }: Handshake): void {
    detach(response, rawSocket.stream)
    this.#kept = response
    rawSocket.moveTo('kept')
    // Send the oldest one, so that listeners which never answer cannot use up all places.
    if (connections.kept.size > options.maxPendingHandshakes) connections.kept.expireFirst()
  }

  /** What the other listeners call. Once the raw socket is ours, their calls do nothing to it. */
  #guard(): Record<string, (...args: never[]) => unknown> {
    const raw = this.#raw
    const itself = () => raw
    // Others must not read what is ours. They may listen for other events, such as `close`.
    const adder = (name: Adder) => (event: never, listener: never) =>
      this.#isOurs && (event === 'data' || event === 'readable') ? raw : this.#call(name, [event, listener])
    return {
      write: (...args: unknown[]) => this.#write(args),
      end: (...args: unknown[]) => this.#end(args),
      destroy: (error?: unknown) => (endsByItself(raw, error) ? this.#call('destroy', [error]) : this.#refuse()),
      destroySoon: () => this.#refuse(),
      resetAndDestroy: () => this.#refuse(),
      unshift: (...args: unknown[]) => {
        if (!this.#isOurs) this.#unshifted.push(args[0])
      },
      pause: itself,
      resume: itself,
      cork: () => {},
      // When a response ends, Node corks its socket without `cork()`, then calls this.
      uncork: () => this.#call('uncork', []),
      setEncoding: itself,
      setTimeout: (...args: unknown[]) => (this.#isOurs ? raw : this.#call('setTimeout', args)),
      pipe: (...args: unknown[]) => this.#pipe(args),
      on: adder('on'),
      once: adder('once'),
      addListener: adder('addListener'),
      prependListener: adder('prependListener'),
      prependOnceListener: adder('prependOnceListener'),
      removeAllListeners: itself
    }
  }

  /** Ends the destination when the connection closes, as a pipe would, even if nothing was piped. */
  #pipe(args: unknown[]): unknown {
    const [destination] = args as [Partial<Writable> | undefined]
    this.#raw.once('close', () => {
      if (this.#isOurs) destination?.end?.()
    })
    return this.#isOurs ? destination : this.#call('pipe', args)
  }

  #write(args: unknown[]): unknown {
    if (!this.#isOurs) {
      const status = statusOf(args[0])
      const isInformational = status?.startsWith('1') === true && status !== '101'
      if (isInformational) return this.#call('write', args)
      // While our answer is held back, any other answer takes the client.
      if (status === '101' || this.#kept !== undefined) return this.#giveAway('write', args)
    }
    callBack(args)
    return true
  }

  #end(args: unknown[]): unknown {
    if (!this.#isOurs && this.#kept !== undefined && typeof args[0] !== 'function' && args.length > 0) {
      return this.#giveAway('end', args)
    }
    callBack(args)
    return this.#refuse()
  }

  #refuse(): Duplex {
    if (this.#isOurs) return this.#raw
    this.#refusals++
    if (this.#refusals >= this.#others) this.sendKept()
    return this.#raw
  }

  /** Leaves the raw socket to another listener, in the state that it would have without us. */
  #giveAway(name: 'write' | 'end', args: unknown[]): unknown {
    this.taken = true
    this.#lift()
    this.#kept = undefined
    const raw = this.#raw
    raw.removeListener('error', ignoreError)
    const handshake = this.#handshake
    const read = handshake?.rawSocket.takeRead() ?? []
    handshake?.rawSocket.release()
    const unread = Buffer.concat([...read, this.#view?.detach() ?? Buffer.alloc(0)])
    // What they have put back arrived with the head, before anything that was read since.
    for (const bytes of [unread, ...this.#unshifted]) if ((bytes as Buffer).length > 0) raw.unshift(bytes)
    handshake?.discard()
    return this.#call(name, args)
  }

  #call(name: string, args: unknown[]): unknown {
    const method = (Object.getPrototypeOf(this.#raw) as Record<string, (...args: unknown[]) => unknown>)[name]
    return method === undefined ? undefined : Reflect.apply(method, this.#raw, args)
  }
}

/** The status of the response that begins with these bytes, if one does. */
function statusOf(bytes: unknown): string | undefined {
  const head = typeof bytes === 'string' ? bytes.slice(0, 16) : bytes instanceof Uint8Array ? latin1(bytes) : ''
  return /^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]
}

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes.subarray(0, 16)).toString('latin1')

/** Whether Node itself destroys the raw socket: the connection has failed, or both sides have ended. */
function endsByItself(raw: Duplex, error: unknown): boolean {
  if (raw.readableEnded && raw.writableFinished) return true
  const { syscall, library } = (error ?? {}) as { syscall?: unknown; library?: unknown }
  return syscall === 'read' || syscall === 'write' || syscall === 'shutdown' || library !== undefined
}

/** Calls the callback of a write, if there is one: others may be waiting for it. */
function callBack(args: unknown[]): void {
  const callback = args.at(-1)
  if (typeof callback === 'function') process.nextTick(callback as Callback)
}
