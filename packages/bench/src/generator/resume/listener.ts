import { setTimeout as sleep } from 'node:timers/promises'
import { clientFrame, opcodes } from '@oneport/adapter-testsuite/parts'
import { Client } from '../client.ts'
import { closeFrame } from '../dialect.ts'
import { FrameReader } from '../frame-reader.ts'
import { Ledger, readMessage } from './ledger.ts'
import type { Talk } from './talk.ts'

/** How long a client waits before it tries to connect again, in milliseconds: a random time between these two. */
export const backoffMs = { least: 200, most: 600 } as const

/** A client that is subscribed to topics, comes back whenever it loses its connection, and notes what it gets. */
export class Listener {
  readonly topics: readonly string[]
  /** What it has got since it was first open. */
  readonly received = new Ledger()
  isOpen = false
  /** How often the server has said that messages are missing. */
  told = 0
  readonly #port: number
  readonly #talk: Talk
  readonly #onNews: (listener: Listener) => void
  #client: Client | undefined
  #isLeaving = false
  #opened: () => void = ignore

  /** @param onNews called when it has opened, and when it has got a message */
  constructor(port: number, talk: Talk, topics: readonly string[], onNews: (listener: Listener) => void = ignore) {
    this.#port = port
    this.#talk = talk
    this.topics = topics
    this.#onNews = onNews
  }

  /** Resolves when it is subscribed to all its topics. */
  open(): Promise<void> {
    return new Promise((resolve) => {
      this.#opened = resolve
      this.#connect()
    })
  }

  publish(topic: string, text: string): void {
    this.#send(this.#talk.publish(topic, text))
  }

  /** The connection, for other uses. This listener takes nothing from it any more. */
  handOver(): Client {
    this.#isLeaving = true
    return this.#client as Client
  }

  /** Breaks its connection. */
  loseConnection(): void {
    this.#client?.reset()
  }

  async leave(): Promise<void> {
    this.#isLeaving = true
    this.loseConnection()
    await this.#client?.closed.catch(ignore)
  }

  #connect(): void {
    const client = new Client(this.#port)
    this.#client = client
    const reader = new FrameReader((opcode, payload) => this.#take(opcode, payload))
    let head = ''
    client.receive = (chunk) => {
      head += chunk.toString('latin1')
      const end = head.indexOf('\r\n\r\n')
      if (end === -1) return
      if (!head.startsWith('HTTP/1.1 101 ')) throw new Error(`Expected a 101, got: ${head.split('\r\n')[0]}`)
      client.receive = (bytes) => reader.read(bytes)
      for (const text of this.#talk.begin()) this.#send(text)
      reader.read(Buffer.from(head.slice(end + 4), 'latin1'))
    }
    client.write(this.#talk.handshake)
    const ended = (): Promise<void> => this.#comeBack()
    client.closed.then(ended, ended)
  }

  async #comeBack(): Promise<void> {
    this.isOpen = false
    const { least, most } = backoffMs
    await sleep(least + Math.random() * (most - least))
    if (!this.#isLeaving) this.#connect()
  }

  #take(opcode: number, payload: Buffer): void {
    if (opcode === opcodes.ping) this.#client?.write(clientFrame(opcodes.pong, payload))
    if (opcode === opcodes.close) this.#client?.write(closeFrame)
    if (opcode === opcodes.text) this.#hear(payload.toString())
  }

  #hear(text: string): void {
    const heard = this.#talk.hear(text)
    switch (heard.kind) {
      case 'open':
        this.isOpen = true
        if (!heard.isResumed) this.told++
        this.#opened()
        this.#onNews(this)
        break
      case 'gap':
        this.told++
        break
      case 'message':
        this.received.add(readMessage(heard.text))
        this.#onNews(this)
        break
      case 'ping':
        this.#send(heard.answer)
    }
  }

  #send(text: string): void {
    this.#client?.write(clientFrame(opcodes.text, Buffer.from(text)))
  }
}

function ignore(): void {}
