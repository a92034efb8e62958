import type { ServerResponse } from 'node:http'
import type { Duplex, Writable } from 'node:stream'
import type { Handshake } from '../handshake.ts'
import { override } from '../raw-methods.ts'
import { detach, ignoreError } from './events.ts'
import type { RawView } from './raw-view.ts'

type Callback = (error?: Error) => void

type Adder = 'on' | 'once' | 'addListener' | 'prependListener' | 'prependOnceListener'

/**
 * A handshake on a server that has other listeners for `upgrade` too, or several attachments.
 *
 * Node gives every upgrade to every listener. Some refuse on the spot what is not theirs (`ws` with a path writes 400,
 * others destroy), some later (Engine.IO after a second, a proxy when it has asked its target). So the raw socket is guarded
 * as long as it is not another's: who writes a 101 before the application has accepted has it; what else they write to it or end
 * stays off the wire. The application works on a view of its own.
 */
export class Sharing {
  /** Whether another listener has taken the handshake. */
  taken = false
  readonly #raw: Duplex
  /** Undefined where there are no other listeners, but further attachments. */
  readonly #view: RawView | undefined
  readonly #others: number
  readonly #isClaimed: boolean
  /** Whether it is clear that the raw socket is no other listener's. */
  #isOurs = false
  #refusals = 0
  /** Begins the turn of the next application. */
  readonly #next: (() => void)[]
  #handshake: Handshake | undefined
  /** The answer that waits for the others, kept by Node as a response without a socket. */
  #kept: ServerResponse | undefined
  #lift: () => void = () => {}
  #unshifted: unknown[] = []

  /**
   * Called in the first listener for `upgrade`, so that the guard stands before the others get the socket.
   * @param others how many other listeners there are
   * @param isClaimed whether `claims` says that the handshake is ours, so that a 404 is an answer as any other
   */
  constructor(raw: Duplex, view: RawView | undefined, others: number, isClaimed: boolean) {
    this.#raw = raw
    this.#view = view
    this.#others = others
    this.#isClaimed = isClaimed
    this.#next = []
    if (view !== undefined) this.#lift = override(raw, this.#guard())
  }

  /** A further application is asked where those before it leave the handshake. */
  addTurn(next: () => void): void {
    this.#next.push(next)
  }

  /** Begins the turn of one attachment. */
  begin(handshake: Handshake): void {
    this.#handshake = handshake
  }

  /** The raw socket is ours: from now on it does nothing for the others. */
  claim(): void {
    if (this.#isOurs) return
    this.#isOurs = true
    this.#view?.seal()
  }

  /**
   * Decides what becomes of an answer.
   * @returns whether it goes out now
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

  /** Sends the answer that was kept for the case that nobody takes the handshake. */
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
    // The one that has waited longest waits no more, so that nobody's place depends on others who stay silent.
    if (connections.kept.size > options.maxPendingHandshakes) connections.kept.expireFirst()
  }

  /** What the others get. Once the raw socket is ours, none of it does anything. */
  #guard(): Record<string, (...args: never[]) => unknown> {
    const raw = this.#raw
    const itself = () => raw
    // Nobody else reads what is ours; other events, such as `close`, concern everyone.
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
      // Node corks by itself the socket of a response that ends, right in front of this call.
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

  /** What a pipe would end when the connection ends is ended then, though not a byte has gone through it. */
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
      // While an answer is kept, any other one has the client.
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

  /** Leaves the raw socket to another listener, as it would be without us. */
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
    // What they have put back came with the head, in front of what has been read since.
    for (const bytes of [unread, ...this.#unshifted]) if ((bytes as Buffer).length > 0) raw.unshift(bytes)
    handshake?.discard()
    return this.#call(name, args)
  }

  #call(name: string, args: unknown[]): unknown {
    const method = (Object.getPrototypeOf(this.#raw) as Record<string, (...args: unknown[]) => unknown>)[name]
    return method === undefined ? undefined : Reflect.apply(method, this.#raw, args)
  }
}

/** The status of a response that begins with these bytes. */
function statusOf(bytes: unknown): string | undefined {
  const head = typeof bytes === 'string' ? bytes.slice(0, 16) : bytes instanceof Uint8Array ? latin1(bytes) : ''
  return /^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]
}

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes.subarray(0, 16)).toString('latin1')

/** Whether it is Node that ends the raw socket: a broken connection, or one whose both sides have ended. */
function endsByItself(raw: Duplex, error: unknown): boolean {
  if (raw.readableEnded && raw.writableFinished) return true
  const { syscall, library } = (error ?? {}) as { syscall?: unknown; library?: unknown }
  return syscall === 'read' || syscall === 'write' || syscall === 'shutdown' || library !== undefined
}

/** Others may wait for what they have written. */
function callBack(args: unknown[]): void {
  const callback = args.at(-1)
  if (typeof callback === 'function') process.nextTick(callback as Callback)
}
