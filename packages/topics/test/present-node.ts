import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { WebSocket } from 'ws'
import type { Backplane, Topics, TopicsAccess, TopicsOptions } from '../src/index.ts'
import { createTopicsAt } from '../src/topics.ts'
import { atEnd, type Bare, serveBare } from './pair.ts'

export interface Person {
  readonly id: string
  readonly info?: unknown
}

/** A node that serves clients, and asks other nodes who is present at an interval of its own. */
export class PresentNode {
  readonly topics: Topics<WebSocket>
  readonly errors: unknown[] = []
  readonly #server: Bare

  private constructor(topics: Topics<WebSocket>, server: Bare, errors: unknown[]) {
    this.topics = topics
    this.#server = server
    this.errors = errors
    atEnd(() => topics.close())
  }

  static async start(
    backplane: Backplane,
    intervalMs: number,
    options: TopicsOptions<WebSocket> = {}
  ): Promise<PresentNode> {
    const errors: unknown[] = []
    const onBackplaneError = (error: unknown): void => void errors.push(error)
    const topics = createTopicsAt(intervalMs, { onBackplaneError, ...options, backplane } as TopicsOptions)
    return new PresentNode(topics as Topics<WebSocket>, await serveBare(), errors)
  }

  /** Connects a client that subscribes to topics. */
  async connect(person: Person | undefined, ...names: string[]): Promise<Viewer> {
    const { client, socket } = await this.#server.connect()
    const all: TopicsAccess = { mayRead: () => true, mayPublish: () => true }
    const viewer = new Viewer(client.socket as WebSocket)
    this.topics.serve(socket, person === undefined ? all : { ...all, presence: person })
    for (const topic of names) await viewer.ask(`subscribe - ${topic}`, 'subscribed')
    return viewer
  }

  /** Connects a client that watches a topic, and is not shown itself. */
  async watch(topic: string): Promise<Viewer> {
    const viewer = await this.connect(undefined, topic)
    await viewer.watch(topic)
    return viewer
  }

  get stats() {
    const { backplane, presence } = this.topics.stats()
    if (backplane === undefined) throw new Error('There is no backplane.')
    return { ...backplane, presence }
  }

  /** Waits until the backplane is connected, and subscribed to the topics of all sockets. */
  async settled(): Promise<void> {
    await until(() => this.stats.health === 'up' && this.stats.missing === 0)
  }
}

/** A client that keeps a list of who is present, as one in a browser does, and notices what contradicts it. */
export class Viewer {
  readonly socket: WebSocket
  /** What it was told that contradicts what it was told before. */
  readonly faults: string[] = []
  /** What it was told of presence, each as its header line. */
  readonly notices: string[] = []
  readonly #lists = new Map<string, Map<string, unknown>>()
  readonly #others: string[] = []

  constructor(socket: WebSocket) {
    this.socket = socket
    socket.on('message', (data) => this.#take(String(data)))
  }

  /** The IDs of those who are present, in their alphabetical order. */
  ids(topic: string): string[] {
    return [...(this.#lists.get(topic)?.keys() ?? [])].sort()
  }

  infoOf(topic: string, id: string): unknown {
    return this.#lists.get(topic)?.get(id)
  }

  async watch(topic: string): Promise<void> {
    this.socket.send(`presence ${topic}`)
    await this.until(() => this.#lists.has(topic))
  }

  /** Sends a request, and waits for an answer of this kind. */
  async ask(request: string, kind: string): Promise<void> {
    this.socket.send(request)
    await this.until(() => this.#others.some((answer) => answer.split(' ')[0] === kind))
    this.#others.length = 0
  }

  /** Waits until exactly these are present. */
  async sees(topic: string, ...ids: string[]): Promise<void> {
    const wanted = [...ids].sort().join()
    await this.until(() => this.#lists.get(topic)?.size === ids.length && this.ids(topic).join() === wanted)
  }

  /** Waits until something is so; that may be after any message. */
  async until(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) await once(this.socket, 'message')
  }

  async leave(): Promise<void> {
    this.socket.close()
    await once(this.socket, 'close')
  }

  #take(answer: string): void {
    const end = answer.indexOf('\n')
    const header = end === -1 ? answer : answer.slice(0, end)
    const [kind = '', ...name] = header.split(' ')
    const topic = name.join(' ')
    if (kind !== 'present' && kind !== 'joined' && kind !== 'left') {
      this.#others.push(header)
      return
    }
    this.notices.push(header)
    const value: unknown = JSON.parse(answer.slice(end + 1))
    if (kind === 'present') {
      this.#lists.set(topic, new Map((value as Person[]).map(({ id, info }) => [id, info])))
      return
    }
    const { id, info } = value as Person
    const list = this.#lists.get(topic) ?? new Map<string, unknown>()
    if (list.has(id) !== (kind === 'left')) this.faults.push(`${header}: ${id}`)
    if (kind === 'joined') list.set(id, info)
    else list.delete(id)
  }
}

/** Polls for a condition that has no event. */
export async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await sleep(5)
}
