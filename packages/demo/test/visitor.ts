import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { connectTopics, type Topics, type TopicsOptions } from '@oneport/client'
import { WebSocket } from 'ws'
import type { Connected } from '../src/exchange.ts'
import type { Said } from '../src/message.ts'
import { nicknameCookie } from '../src/nickname.ts'

/** The subprotocol of the topics. */
export const subprotocol = 'oneport.topics.1'

const cookieOf = (nickname: string | undefined): Record<string, string> =>
  nickname === undefined ? {} : { Cookie: `${nicknameCookie}=${encodeURIComponent(nickname)}` }

/** Sends a handshake for a room. @returns the response, whichever it is, and the socket */
export function shakeHands(
  origin: string,
  nickname: string | undefined,
  room = 'lobby',
  protocols = [subprotocol]
): { socket: WebSocket; response: Promise<IncomingMessage> } {
  const socket = new WebSocket(`${origin}/chat/${room}`, protocols, {
    headers: cookieOf(nickname),
    rejectUnauthorized: false
  })
  socket.on('error', () => {})
  const response = new Promise<IncomingMessage>((resolve) => {
    socket.on('upgrade', resolve)
    socket.on('unexpected-response', (_request, answer) => {
      answer.resume()
      resolve(answer)
    })
  })
  return { socket, response }
}

let visitors = 0

/** Somebody in a room without a browser, who keeps what they have heard. Its certificate is taken as it is. */
export class Visitor {
  readonly topics: Topics
  readonly nickname: string
  /** What was said in the room. */
  readonly said: Said[] = []
  /** How it was connected, the last time at the end. */
  readonly connected: Connected[] = []
  /** Who is in which room, such as `lobby/Ada`. */
  people: readonly string[] = []
  readonly sockets: WebSocket[] = []
  readonly #topic: string
  #said = 0
  #waiting: (() => void)[] = []

  /** @param origin `ws://` or `wss://`, and where the demo listens */
  constructor(origin: string, nickname: string, room = 'lobby', options: TopicsOptions = {}) {
    this.nickname = nickname
    this.#topic = `room/${room}`
    const { sockets } = this
    const page = `visitor${++visitors}`
    this.topics = connectTopics(`${origin}/chat/${encodeURIComponent(room)}?page=${page}`, {
      webSocket: class extends WebSocket {
        constructor(url: string, protocols?: string | string[]) {
          super(url, protocols, { headers: cookieOf(nickname), rejectUnauthorized: false })
          sockets.push(this)
        }
      },
      fetch: (input, init) => fetch(input, { ...init, headers: { ...init?.headers, ...cookieOf(nickname) } }),
      minDelayMs: 10,
      maxDelayMs: 100,
      spreadMs: 10,
      ...options
    })
    const tell = <Value>(take: (value: Value) => void) => {
      return (value: Value): void => {
        take(value)
        const waiting = this.#waiting
        this.#waiting = []
        for (const resolve of waiting) resolve()
      }
    }
    const read = <Value>(take: (value: Value) => void): ((data: string | Uint8Array) => void) =>
      tell((data) => take(JSON.parse(String(data)) as Value))
    this.topics.subscribe(
      this.#topic,
      read<Said>((said) => this.said.push(said)),
      { since: 'all' }
    )
    this.topics.subscribe(
      `page/${page}`,
      read<Connected>((connected) => this.connected.push(connected)),
      {
        since: 'all'
      }
    )
    this.topics.presence(
      'people',
      tell((members) => {
        this.people = [...members.keys()].sort()
      })
    )
    this.topics.addEventListener(
      'statechange',
      tell(() => {})
    )
  }

  /** Waits until something holds. */
  async until(holds: (visitor: this) => boolean): Promise<void> {
    while (!holds(this)) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  /** Waits until it is in its room, and sees itself there. */
  entered(): Promise<void> {
    const self = `${this.#topic.slice('room/'.length)}/${this.nickname}`
    return this.until(({ people, connected }) => people.includes(self) && connected.length > 0)
  }

  /** Says something, and waits for the acknowledgement. */
  async say(text: string, changes: object = {}): Promise<void> {
    const id = `${this.nickname.length}_${visitors}_${++this.#said}_${process.pid}`
    await this.topics.publish(
      this.#topic,
      JSON.stringify({ id, nickname: this.nickname, text, at: Date.now(), ...changes })
    )
  }

  hears(text: string): Promise<void> {
    return this.until(({ said }) => said.some((each) => each.text === text))
  }

  /** Waits until the connection ends. @returns the close code */
  async closed(): Promise<number> {
    const [code] = (await once(this.sockets.at(-1) as WebSocket, 'close')) as [number]
    return code
  }

  /** Reads nothing more, so it never answers a closing handshake. */
  freeze(): void {
    this.sockets.at(-1)?.pause()
  }

  leave(): void {
    this.topics.close()
    for (const socket of this.sockets) socket.terminate()
  }
}
