import type { ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Handshake } from '../handshake.ts'

type Method = (...args: unknown[]) => unknown

/**
 * A handshake on a server that has other listeners for `upgrade` too, or several attachments.
 *
 * Node gives every upgrade to every listener. Some refuse on the spot what is not theirs (`ws` with a path writes 400,
 * others destroy), some end later what nobody has answered (Engine.IO, after a second). So the raw socket is guarded
 * until it is known whose it is: who writes a 101 has it; what the others write or end stays off the wire.
 */
export class Sharing {
  /** Whether another listener has taken the handshake. */
  taken = false
  readonly #rawSocket: Duplex
  readonly #others: number
  readonly #isClaimed: boolean
  #refusals = 0
  #next: (() => void) | undefined
  #handshake: Handshake | undefined
  /** The application's 404, kept by Node as a response that waits for its turn. */
  #kept: ServerResponse | undefined
  #guarded: string[] = []
  #unshifted: unknown[][] = []

  /**
   * Called in the first listener for `upgrade`, so that the guard stands before the others get the socket.
   * @param others how many other listeners there are
   * @param isClaimed whether `claims` says that the handshake is ours, so that a 404 is an answer as any other
   */
  constructor(rawSocket: Duplex, others: number, isClaimed: boolean) {
    this.#rawSocket = rawSocket
    this.#others = others
    this.#isClaimed = isClaimed
    this.#guard('write', (...args) => this.#write(args))
    this.#guard('end', (...args) => this.#end(args))
    this.#guard('destroy', () => this.#refuse())
    this.#guard('destroySoon', () => this.#refuse())
    this.#guard('unshift', (...args) => this.#unshifted.push(args))
    // Node destroys a broken socket by the same method, but not while it emits `upgrade`.
    process.nextTick(() => this.#lift(['destroy', 'destroySoon', 'unshift']))
  }

  /** Begins the turn of one attachment; `next` begins that of another one, if there is one. */
  begin(handshake: Handshake, next: (() => void) | undefined): void {
    this.#handshake = handshake
    this.#next = next
  }

  /**
   * Decides what becomes of the application's answer.
   * @returns whether it goes out now
   */
  answer(status: number): boolean {
    const handshake = this.#handshake as Handshake
    if (this.taken) {
      handshake.discard()
      return false
    }
    if (status === 404 && this.#next !== undefined) {
      handshake.discard()
      process.nextTick(this.#next)
      return false
    }
    if (status === 404 && !this.#isClaimed && this.#refusals < this.#others) {
      this.#keep(handshake)
      return false
    }
    this.release()
    return true
  }

  /** Sends the 404 that was kept for the case that nobody takes the handshake. */
  sendKept(): boolean {
    const kept = this.#kept
    if (kept === undefined) return false
    this.#kept = undefined
    this.release()
    kept.assignSocket(this.#rawSocket as never)
    return true
  }

  /** Takes the guard off: the socket is ours. */
  release(): void {
    this.#lift([...this.#guarded])
  }

  #keep({ response, rawSocket }: Handshake): void {
    response.detachSocket(rawSocket as never)
    this.#kept = response
    rawSocket.once('close', () => {
      if (this.#kept !== undefined) this.#discard()
    })
  }

  /** Another has the socket, or the client has gone. */
  #discard(): void {
    this.#kept = undefined
    this.#handshake?.discard()
  }

  #write(args: unknown[]): unknown {
    // A response to a request in front of this one.
    if (this.#handshake === undefined && hasResponse(this.#rawSocket)) return this.#call('write', args)
    const [, status] = /^HTTP\/1\.1 (\d{3})/.exec(String(args[0])) ?? []
    const isInformational = status?.startsWith('1') === true && status !== '101'
    if (isInformational) return this.#call('write', args)
    if (status !== '101' && this.#kept === undefined) return true
    return this.#giveAway('write', args)
  }

  #end(args: unknown[]): unknown {
    if (this.#kept !== undefined && args.length > 0) return this.#giveAway('end', args)
    return this.#refuse()
  }

  #refuse(): Duplex {
    this.#refusals++
    if (this.#refusals >= this.#others) this.sendKept()
    return this.#rawSocket
  }

  #giveAway(name: 'write' | 'end', args: unknown[]): unknown {
    this.taken = true
    this.release()
    for (const unshifted of this.#unshifted) this.#call('unshift', unshifted)
    this.#discard()
    return this.#call(name, args)
  }

  #guard(name: string, value: Method): void {
    this.#guarded.push(name)
    Object.defineProperty(this.#rawSocket, name, { configurable: true, writable: true, value })
  }

  #lift(names: string[]): void {
    for (const name of names) {
      if (!this.#guarded.includes(name)) continue
      this.#guarded = this.#guarded.filter((other) => other !== name)
      Reflect.deleteProperty(this.#rawSocket, name)
    }
  }

  #call(name: 'write' | 'end' | 'unshift', args: unknown[]): unknown {
    const method = (Object.getPrototypeOf(this.#rawSocket) as Record<typeof name, Method>)[name]
    return Reflect.apply(method, this.#rawSocket, args)
  }
}

const hasResponse = (rawSocket: Duplex & { _httpMessage?: unknown }): boolean => Boolean(rawSocket._httpMessage)
