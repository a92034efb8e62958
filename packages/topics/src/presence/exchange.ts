import type { Context } from '../context.ts'
import type { Link } from '../link.ts'
import { type Ask, all, ask, here, moved, type Notice, readNotice } from './notice.ts'
import type { Place } from './place.ts'

/** Ticks in an interval: answers and questions that must wait do so until the next tick. */
const ticksOfInterval = 20

/** The part of the watched topics that is asked for in one tick at most: after an outage, all may be due at once. */
const mostVisited = 0.1

/** How long changes are told after another node has asked, in intervals. */
const audibleIntervals = 3

/** How long after it was announced a place tells that it is empty, in ticks, although nobody may have asked yet. */
const doubtfulTicks = 3

/** Bytes of answers in one tick, and what each takes beyond its text. A single answer may be larger. */
const answerBytes = 1_048_576
const overheadBytes = 256

/** Most nodes to ask in one tick, and most that wait for it. What is beyond is noticed in the next interval. */
const mostAsked = 100
const mostQuestions = 1_000

interface Parts {
  readonly link: Link
  readonly context: Context
  /** After this time a watched topic is asked for again, in milliseconds. */
  readonly intervalMs: number
  readonly placeOf: (topic: string) => Place | undefined
  /** Called when members may have changed. @param isBulk whether more changes are likely to follow */
  readonly onChange: (topic: string, place: Place, isBulk: boolean) => void
}

/**
 * Tells other nodes who is present here, and learns who is present there. Nodes that watch a topic ask, at first and in
 * each interval. Nodes with members answer, and from then on tell each change while somebody asks. The state of a node
 * has a version, so whoever has missed a change notices that, and asks for everything.
 */
export class Exchange {
  readonly #parts: Parts
  /** Topics with watchers, each with the time at which to ask for it, in the order of these times. */
  readonly #watched = new Map<string, number>()
  /** Topics that wait for their answer, and whether it has everything. */
  readonly #due = new Map<string, boolean>()
  /** Topics that were answered in this tick. */
  readonly #answered = new Set<string>()
  /** Nodes to ask about a topic, each with the version that is known. */
  readonly #questions = new Map<string, Map<string, number>>()
  /** Bytes of answers that may be sent in this tick. */
  #allowance = answerBytes
  #versions = 0
  #isClosed = false
  #timer: NodeJS.Timeout | undefined

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Called when a topic has got its first watcher. */
  watch(topic: string, place: Place): void {
    this.#watched.set(topic, performance.now() + this.#parts.intervalMs)
    this.#wake()
    if (this.#parts.link.isSubscribed(topic)) this.#askAll(topic, place, 0)
  }

  /** Called when a topic has lost its last watcher. */
  unwatch(topic: string, place: Place): void {
    this.#watched.delete(topic)
    this.#questions.delete(topic)
    place.forgetPeers()
  }

  /** Called when a topic was subscribed, and when notices may have been lost. */
  refresh(topic: string, place: Place): void {
    if (place.watchers.size > 0) this.#askAll(topic, place, place.hasPeers ? undefined : 0)
    if (place.own === 0) return
    if (place.announcedAt === -Infinity) this.#announce(topic, place)
    else if (place.askedAt !== -Infinity) this.#tell(topic, here(place.version))
  }

  /**
   * Called when a member has joined this node. The first is told in any case, because a node that has just subscribed
   * does not know whether somebody watches.
   * @param member as JSON
   */
  joined(topic: string, place: Place, member: string): void {
    const from = place.version
    place.version = ++this.#versions
    // Otherwise `refresh` follows.
    if (!this.#parts.link.isSubscribed(topic)) return
    if (place.announcedAt === -Infinity) this.#announce(topic, place)
    else if (this.#isAudible(place)) this.#tell(topic, moved('joined', from, place.version, member))
  }

  /** Called when a member has left this node. */
  left(topic: string, place: Place, id: string): void {
    const from = place.version
    const isLast = place.own === 0
    const isAudible = this.#isAudible(place) || (isLast && this.#isDoubtful(place))
    place.version = isLast ? 0 : ++this.#versions
    if (isLast) place.announcedAt = -Infinity
    if (!isAudible) return
    const isTold = this.#tell(topic, moved('left', from, place.version, JSON.stringify({ id })))
    if (isTold || !isLast) return
    // When the backplane is back, there is nobody here who would be announced.
    this.#due.set(topic, false)
    this.#wake()
  }

  /**
   * Takes a notice of another node.
   * @returns false if it is none
   */
  receive(topic: string, node: string, bytes: Buffer): boolean {
    const notice = readNotice(bytes)
    if (notice === undefined) return false
    if (this.#isClosed) return true
    const place = this.#parts.placeOf(topic)
    if (notice.kind === 'ask') this.#hearAsk(topic, place, notice)
    if (place !== undefined && place.watchers.size > 0) this.#learn(topic, place, node, notice)
    return true
  }

  /** Tells nodes that watch that nobody is present here any more. */
  close(places: Iterable<[string, Place]>): void {
    for (const [topic, place] of places) {
      if (place.own > 0 && this.#isAudible(place)) this.#tell(topic, here(0))
    }
    this.#isClosed = true
    clearInterval(this.#timer)
  }

  #hearAsk(topic: string, place: Place | undefined, { node, known }: Ask): void {
    if (place !== undefined) place.askedAt = performance.now()
    if (node !== undefined) this.#questions.get(topic)?.delete(node)
    else if (place !== undefined) place.allAskedAt = place.askedAt
    const own = place?.own ?? 0
    const isForThisNode = node === this.#parts.link.nodeId
    if (!isForThisNode && (node !== undefined || own === 0)) return
    const isFull = known !== undefined && known !== place?.version
    const isTooEarly = this.#answered.has(topic) || this.#allowance <= 0
    if (!isTooEarly && this.#answer(topic, isFull)) return
    this.#due.set(topic, isFull || this.#due.get(topic) === true)
    this.#wake()
  }

  /** @returns false if the backplane is down */
  #answer(topic: string, isFull: boolean): boolean {
    const place = this.#parts.placeOf(topic)
    const version = place?.version ?? 0
    const notices = place !== undefined && version > 0 && isFull ? all(version, place.ownMembers()) : [here(version)]
    for (const notice of notices) {
      if (!this.#tell(topic, notice)) return false
      this.#allowance -= notice.length + overheadBytes
    }
    if (place !== undefined && version > 0) place.announcedAt = performance.now()
    this.#answered.add(topic)
    this.#wake()
    return true
  }

  #learn(topic: string, place: Place, node: string, notice: Notice): void {
    const known = place.hear(node, notice)
    if (known !== undefined) this.#askLater(topic, node, known)
    this.#parts.onChange(topic, place, notice.kind !== 'joined' && notice.kind !== 'left')
  }

  /** Tells other nodes that there are members here. They ask for them if there are several. */
  #announce(topic: string, place: Place): void {
    const { own, version } = place
    const [member = ''] = place.ownMembers()
    const isTold = this.#tell(topic, own === 1 ? moved('joined', 0, version, member) : here(version))
    if (isTold) place.announcedAt = performance.now()
  }

  /** @param known 0 to ask for everything, undefined to ask for the versions */
  #askAll(topic: string, { version }: Place, known: number | undefined): void {
    this.#tell(topic, ask(version, undefined, known))
  }

  /** Asks one node, unless another node does meanwhile: the answer goes to all. */
  #askLater(topic: string, node: string, known: number): void {
    if (this.#questions.size >= mostQuestions) return
    const nodes = this.#questions.get(topic) ?? new Map<string, number>()
    if (nodes.size < mostQuestions) this.#questions.set(topic, nodes.set(node, known))
    this.#wake()
  }

  /** @returns whether it was handed over */
  #tell(topic: string, notice: Buffer): boolean {
    return !this.#isClosed && this.#parts.link.notify(topic, notice)
  }

  /** Whether another node watches, as far as this one knows. */
  #isAudible({ askedAt }: Place): boolean {
    return askedAt > performance.now() - audibleIntervals * this.#parts.intervalMs
  }

  /** Whether others may have learnt of its members, and have had no time to ask. */
  #isDoubtful({ announcedAt }: Place): boolean {
    return announcedAt > performance.now() - (doubtfulTicks / ticksOfInterval) * this.#parts.intervalMs
  }

  #wake(): void {
    if (this.#isClosed) return
    const { context, intervalMs } = this.#parts
    this.#timer ??= context.runInAsyncScope(() => setInterval(() => this.#tick(), intervalMs / ticksOfInterval).unref())
  }

  #tick(): void {
    this.#allowance = Math.min(answerBytes, this.#allowance + answerBytes)
    this.#answered.clear()
    for (const [topic, isFull] of this.#due) {
      if (this.#allowance <= 0 || !this.#answer(topic, isFull)) break
      this.#due.delete(topic)
    }
    this.#visitAll()
    this.#askNodes()
    const isBusy = this.#watched.size + this.#due.size + this.#answered.size + this.#questions.size > 0
    if (isBusy || this.#allowance < answerBytes) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #visitAll(): void {
    const now = performance.now()
    let left = Math.ceil(this.#watched.size * mostVisited)
    for (const [topic, dueAt] of this.#watched) {
      if (dueAt > now || left-- === 0) return
      this.#watched.delete(topic)
      this.#watched.set(topic, now + this.#parts.intervalMs)
      const place = this.#parts.placeOf(topic)
      if (place !== undefined) this.#visit(topic, place, now)
    }
  }

  /** Asks for a topic, unless another node has just done so: the answers go to all. */
  #visit(topic: string, place: Place, now: number): void {
    place.dropSilent()
    if (place.allAskedAt <= now - this.#parts.intervalMs) this.#askAll(topic, place, undefined)
    this.#parts.onChange(topic, place, true)
  }

  #askNodes(): void {
    let left = mostAsked
    for (const [topic, nodes] of this.#questions) {
      const version = this.#parts.placeOf(topic)?.version ?? 0
      for (const [node, known] of nodes) {
        if (left-- === 0) return
        nodes.delete(node)
        this.#tell(topic, ask(version, node, known))
      }
      this.#questions.delete(topic)
    }
  }
}
