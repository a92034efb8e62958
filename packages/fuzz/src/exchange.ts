import { connect, type Socket } from 'node:net'
import { closeFrame } from './client-frames.ts'
import { judge } from './oracle.ts'
import { type Reading, readRequests } from './requests.ts'
import { fieldValues, Malformed, Responses } from './responses.ts'
import { ServerFrames } from './server-frames.ts'
import { faultOfSwitch } from './switch.ts'
import type { Visit } from './visit.ts'

/** The result of a visit. */
export interface Outcome {
  /** The status of the last response; undefined if there was none. */
  readonly status: number | undefined
  /** Whether a 101 answered bytes that only the server could parse, so that nothing certain can be said about it. */
  readonly isUnjudged: boolean
  /** What the server must not have done. */
  readonly fault: string | undefined
  /** What the server sent, in latin1. */
  readonly answer: string
}

/**
 * A connection that is still open after this time hangs, in milliseconds. Much longer than any deadline of the servers
 * under test.
 */
const patienceMs = 15_000

/** A client that sends 64 KiB without waiting for an answer may be cut off. */
const mostEarlyBytes = 60_000

/**
 * How long a busy machine may take to answer what precedes a request, in milliseconds: just under the deadline of the
 * servers under test.
 */
const patienceBehindMs = 1_900

/**
 * After this time without a byte, the server is waiting for the rest of an incomplete request or frame, in
 * milliseconds.
 */
const quietMs = 60

/** How much of an answer a report shows. */
const shownBytes = 4_000

/** Makes a visit, and checks that the server's answers are allowed. */
export const exchange = (port: number, visit: Visit, localAddress?: string): Promise<Outcome> =>
  new Promise((resolve) => new Exchange(visit, resolve).start(connect({ port, host: '127.0.0.1', localAddress })))

class Exchange {
  readonly #visit: Visit
  readonly #text: string
  readonly #reading: Reading
  readonly #responses: Responses
  readonly #resolve: (outcome: Outcome) => void
  #socket!: Socket
  #frames: ServerFrames | undefined
  #answer = ''
  #fault: string | undefined
  readonly #start = performance.now()
  #isSent = false
  #hasLeft = false
  #hasServerEnded = false
  #quiet: NodeJS.Timeout | undefined
  #departure: NodeJS.Timeout | undefined
  #patience: NodeJS.Timeout | undefined

  constructor(visit: Visit, resolve: (outcome: Outcome) => void) {
    this.#visit = visit
    this.#text = visit.pieces.join('')
    this.#reading = readRequests(this.#text)
    this.#responses = new Responses((index) => this.#reading.requests[index]?.method)
    this.#resolve = resolve
  }

  start(socket: Socket): void {
    this.#socket = socket.setNoDelay(true)
    this.#patience = setTimeout(() => this.#fail('the connection hangs'), patienceMs)
    socket.on('connect', () => this.#send(this.#visit.pieces, () => this.#sent()))
    socket.on('data', (chunk) => this.#read(chunk.toString('latin1')))
    socket.on('end', () => {
      this.#hasServerEnded = true
      this.#responses.end()
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // The server may reset or close a connection at any time.
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') this.#fail(`the connection fails: ${error.message}`)
    })
    socket.on('close', () => this.#finish())
  }

  /** Sends each piece in a packet of its own. */
  #send(pieces: readonly string[], done: () => void, index = 0): void {
    const piece = pieces[index]
    // The server may have closed the connection, and the client with it.
    if (piece === undefined || !this.#socket.writable) {
      done()
      return
    }
    const isLast = index === pieces.length - 1
    if (isLast && this.#visit.leaves === 'with it') this.#socket.end(piece, 'latin1', done)
    else {
      const goOn = (): void => this.#send(pieces, done, index + 1)
      const { pauseMs = 0 } = this.#visit
      this.#socket.write(
        piece,
        'latin1',
        isLast ? done : () => (pauseMs > 0 ? setTimeout(goOn, pauseMs) : setImmediate(goOn))
      )
    }
  }

  /** Called when all pieces have been sent. */
  #sent(): void {
    this.#isSent = true
    if (this.#visit.leaves === 'meanwhile') this.#departure = setTimeout(() => this.#leave(), this.#visit.delayMs)
    if (this.#visit.leaves === 'at once') this.#leave()
    else if (this.#visit.leaves === 'with it') this.#hasLeft = true
    else if (this.#visit.leaves === 'begun' && this.#answer !== '') this.#leave()
    else if (this.#frames !== undefined) this.#sendFrames()
    else this.#proceed()
  }

  #sendFrames(): void {
    clearTimeout(this.#quiet)
    if (this.#visit.reads === false) this.#socket.pause()
    this.#isSent = false
    this.#send(this.#visit.frames, () => {
      this.#isSent = true
      if (this.#visit.leaves === 'last' || this.#visit.leaves === 'meanwhile') this.#proceed()
      else this.#leave()
    })
  }

  #read(chunk: string): void {
    if (this.#visit.isDisturbed === true) return
    if (this.#answer.length < shownBytes) this.#answer += chunk.slice(0, shownBytes)
    try {
      const rest = this.#responses.push(chunk)
      if (this.#responses.switched) this.#readFrames(rest)
    } catch (error) {
      if (!(error instanceof Malformed)) throw error
      this.#fail(`the server sends ${error.message}`)
    }
    if (this.#isSent && this.#visit.leaves === 'begun') this.#leave()
    else if (this.#isSent) this.#proceed()
  }

  #readFrames(bytes: string): void {
    if (this.#frames === undefined) {
      const { complete } = this.#responses
      const response = complete.at(-1)
      if (response === undefined) return
      const fault = faultOfSwitch(response, complete.length - 1, this.#reading, this.#text)
      if (fault !== undefined) this.#fail(fault)
      this.#frames = new ServerFrames(fieldValues(response, 'sec-websocket-extensions').length > 0)
      if (this.#isSent && !this.#hasLeft && this.#visit.leaves !== 'begun') this.#sendFrames()
    }
    this.#frames.push(bytes)
  }

  /** Decides what to do when the client is still there and has nothing more to send. */
  #proceed(): void {
    clearTimeout(this.#quiet)
    if (this.#hasLeft) return
    if (this.#frames?.closed === true) {
      this.#hasLeft = true
      this.#socket.end(closeFrame, 'latin1')
    } else if (this.#frames !== undefined && this.#visit.messages !== undefined) {
      // Wait for the close frame.
    } else if (this.#frames !== undefined || !this.#isCertain()) {
      this.#quiet = setTimeout(() => this.#leave(), quietMs)
    } else if (this.#responses.complete.length >= this.#reading.requests.length) {
      if (this.#visit.leaves === 'answered' || !this.#responses.closes) this.#leave()
    }
  }

  /** Whether each request is complete and clear, so that the server has to answer it. */
  #isCertain(): boolean {
    const { requests, rest } = this.#reading
    return requests.length > 0 && (rest === 'nothing' || rest === 'frames')
  }

  #leave(): void {
    clearTimeout(this.#quiet)
    if (this.#hasLeft) return
    this.#hasLeft = true
    if (this.#visit.by === 'reset') this.#socket.resetAndDestroy()
    else if (this.#visit.by === 'close') this.#socket.destroy()
    // Keep reading until the server ends its side too.
    else this.#socket.end().resume()
  }

  #fail(fault: string): void {
    this.#fault ??= fault
    this.#hasLeft = true
    this.#socket.destroy()
  }

  #finish(): void {
    clearTimeout(this.#patience)
    clearTimeout(this.#quiet)
    clearTimeout(this.#departure)
    const { complete, switched } = this.#responses
    this.#fault ??= this.#faultOfEnd()
    this.#resolve({
      status: complete.at(-1)?.status,
      isUnjudged: switched && this.#reading.requests[complete.length - 1] === undefined,
      fault: this.#fault,
      answer: this.#answer
    })
  }

  /** Whether a pipelined request may have waited past its deadline; its connection is closed then. */
  get #isLate(): boolean {
    return this.#responses.complete.length > 0 && performance.now() - this.#start > patienceBehindMs
  }

  get #leavesEarly(): boolean {
    return this.#visit.leaves !== 'answered' && this.#visit.leaves !== 'last'
  }

  /** Checks what a client may expect if it stays until it has its answer. */
  #faultOfEnd(): string | undefined {
    const { complete, isPartial, closes, switched } = this.#responses
    const { requests } = this.#reading
    const [first] = requests
    if (this.#leavesEarly || this.#visit.isDisturbed === true || first === undefined) return undefined
    if (this.#text.length > mostEarlyBytes) return undefined
    const missing = requests.findIndex((request, index) => {
      const isAnswered = index === 0 || complete.length > index
      return isAnswered && judge(request).kind === 'required' && complete[index]?.status !== 101
    })
    if (missing !== -1) {
      return `no 101 to a valid handshake, but ${complete[missing]?.status ?? 'nothing'}`
    }
    const { messages } = this.#visit
    if (switched && this.#visit.leaves === 'last' && messages !== undefined) {
      if (this.#frames?.closed !== true) return 'no close frame'
      if (this.#frames.messages !== messages) return `${this.#frames.messages} of ${messages} messages echoed`
    }
    // A reset may have destroyed an answer on its way; the end of the server's side cannot.
    const isOwed = this.#isCertain() && !switched && !closes && complete.length < requests.length && !this.#isLate
    if (!this.#hasServerEnded || !isOwed) return undefined
    return isPartial ? 'an answer is cut off' : `no answer to request ${complete.length + 1} of ${requests.length}`
  }
}
