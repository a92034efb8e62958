import { setTimeout as sleep } from 'node:timers/promises'
import { type Backplane, createTopics, type Topics } from '@oneport/topics'
import { type WebSocket, WebSocketServer } from 'ws'
import { atEnd, type Bare, serveBare } from '../../topics/test/pair.ts'

/** A client of a node, with its messages and its socket on the server. */
export interface Client {
  readonly socket: WebSocket
  readonly got: { readonly data: Buffer; readonly isBinary: boolean }[]
  /** The messages so far, as text. */
  texts(): string[]
}

/** Stands for one process, as far as topics are concerned. */
export class Node {
  readonly topics: Topics
  readonly errors: unknown[] = []
  readonly #server: Bare

  private constructor(backplane: Backplane, server: Bare) {
    this.topics = createTopics({ backplane, onBackplaneError: (error) => this.errors.push(error) })
    this.#server = server
    atEnd(() => this.topics.close())
  }

  static async start(backplane: Backplane): Promise<Node> {
    return new Node(backplane, await serveBare({}, WebSocketServer))
  }

  /** Connects a client that subscribes to some topics. */
  async connect(...topics: string[]): Promise<Client> {
    const { client, socket } = await this.#server.connect()
    const got: Client['got'] = []
    client.socket.on('message', (data: Buffer, isBinary) => got.push({ data, isBinary }))
    for (const topic of topics) this.topics.subscribe(socket, topic)
    return { socket, got, texts: () => got.map(({ data }) => data.toString()) }
  }

  get backplane() {
    const { backplane } = this.topics.stats()
    if (backplane === undefined) throw new Error('There is no backplane.')
    return backplane
  }

  /** Waits until the backplane is connected and subscribed to the topics of all its sockets. */
  async settled(): Promise<void> {
    await until(() => this.backplane.health === 'up' && this.backplane.missing === 0)
  }
}

/** Polls for a condition that has no event. */
export async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await sleep(5)
}
