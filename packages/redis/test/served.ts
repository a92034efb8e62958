import { once } from 'node:events'
import { createTopics, type HistoryBackplane, type Topics } from '@oneport/topics'
import { type WebSocket, WebSocketServer } from 'ws'
import { atEnd, type Bare, serveBare } from '../../topics/test/pair.ts'
import { until } from './node.ts'

/** A node whose topics have a history. */
export interface ServingNode {
  readonly topics: Topics<WebSocket>
  readonly server: Bare
}

export async function startServing(backplane: HistoryBackplane): Promise<ServingNode> {
  const topics = createTopics<WebSocket>({ backplane, history: {} })
  atEnd(() => topics.close())
  const node = { topics, server: await serveBare({}, WebSocketServer) }
  await until(() => topics.stats().backplane?.health === 'up')
  return node
}

type Event = { readonly kind: 'message'; readonly text: string } | { readonly kind: 'gap' }

interface Place {
  readonly epoch: string
  readonly offset: number
}

/** A client of the protocol that comes back where it was, and remembers everything that it was told. */
export class Reader {
  readonly faults: string[] = []
  readonly #topics: readonly string[]
  readonly #events = new Map<string, Event[]>()
  readonly #places = new Map<string, Place>()
  #socket: WebSocket | undefined

  constructor(topics: readonly string[]) {
    this.#topics = topics
    for (const topic of topics) this.#events.set(topic, [])
  }

  /** Connects to a node, and subscribes to all topics, each from where it was. */
  async visit({ topics, server }: ServingNode): Promise<void> {
    await this.leave()
    const { client, socket } = await server.connect()
    const own = client.socket as WebSocket
    this.#socket = own
    own.on('message', (data) => this.#take(own, String(data)))
    topics.serve(socket, { mayRead: () => true, mayPublish: () => true })
    for (const topic of this.#topics) this.#subscribe(own, topic)
  }

  async leave(): Promise<void> {
    const socket = this.#socket
    this.#socket = undefined
    if (socket === undefined) return
    const closed = once(socket, 'close')
    socket.terminate()
    await closed
  }

  /** Whether it is where the topics begin. */
  get isSubscribed(): boolean {
    return this.#places.size === this.#topics.length
  }

  textsOf(topic: string): string[] {
    return this.#of(topic).flatMap((event) => (event.kind === 'message' ? [event.text] : []))
  }

  /** How many gaps it was told of. */
  get gaps(): number {
    return [...this.#events.values()].flat().filter(({ kind }) => kind === 'gap').length
  }

  /**
   * What is wrong with what it was told of a topic on which numbers were published in their order: all that Redis has
   * acknowledged must be there once and in order, or a gap where they are missing.
   */
  check(topic: string, acknowledged: readonly number[]): string[] {
    const events = this.#of(topic)
    const faults = this.faults.filter((fault) => fault.startsWith(`${topic}: `))
    const got = this.textsOf(topic).map(Number)
    for (const [index, number] of got.entries()) {
      const before = got[index - 1] ?? 0
      if (number <= before) faults.push(`${topic}: ${number} after ${before}`)
    }
    const known = new Set(got)
    for (const number of acknowledged.filter((each) => !known.has(each))) {
      const next = events.findIndex((event) => event.kind === 'message' && Number(event.text) > number)
      const end = next === -1 ? events.length : next
      const covered = events[end - 1]
      if (covered?.kind !== 'gap') faults.push(`${topic}: ${number} is missing without a gap`)
    }
    return faults
  }

  #of(topic: string): Event[] {
    return this.#events.get(topic) ?? []
  }

  #subscribe(socket: WebSocket, topic: string): void {
    const place = this.#places.get(topic)
    socket.send(`subscribe ${place === undefined ? '-' : `${place.epoch}:${place.offset}`} ${topic}`)
  }

  #take(socket: WebSocket, answer: string): void {
    if (socket !== this.#socket) return
    const [header = '', text = ''] = answer.split('\n')
    const [kind = '', ...fields] = header.split(' ')
    const topic = fields.at(-1) ?? ''
    const place = this.#places.get(topic)
    if (kind === 'message') {
      const offset = Number(fields[0])
      if (offset !== (place?.offset ?? Number.NaN) + 1) this.faults.push(`${topic}: ${offset} after ${place?.offset}`)
      this.#places.set(topic, { epoch: place?.epoch ?? '', offset })
      this.#of(topic).push({ kind: 'message', text })
    } else if (kind === 'error') {
      // It has waited for Redis in vain.
      this.#subscribe(socket, topic)
    } else {
      const [epoch = '', offset, outcome = kind] = fields
      if (outcome === 'resumed' && (epoch !== place?.epoch || Number(offset) !== place.offset)) {
        this.faults.push(`${topic}: resumed at ${epoch} ${offset} after ${place?.epoch} ${place?.offset}`)
      }
      if (outcome === 'gap' || kind === 'gap') this.#of(topic).push({ kind: 'gap' })
      this.#places.set(topic, { epoch, offset: Number(offset) })
    }
  }
}
