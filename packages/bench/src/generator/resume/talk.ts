import { type DialectName, dialects } from '../dialect.ts'

/** What a message of the server means to a client. */
export type Heard =
  /** The client is subscribed to all its topics. It is resumed if the server says that it has missed nothing. */
  | { readonly kind: 'open'; readonly isResumed: boolean }
  /** The server says that messages are missing. */
  | { readonly kind: 'gap' }
  | { readonly kind: 'message'; readonly text: string }
  | { readonly kind: 'ping'; readonly answer: string }
  | { readonly kind: 'other' }

const other: Heard = { kind: 'other' }

/** How a client subscribes, publishes, and comes back; and what it has to remember for that. */
export interface Talk {
  readonly handshake: Buffer
  /** What the client sends on a new connection. */
  begin(): string[]
  hear(text: string): Heard
  publish(topic: string, text: string): string
}

export const talkOf = (dialect: DialectName, topics: readonly string[]): Talk =>
  dialect === 'socket.io' ? new SocketIoTalk(topics) : new TopicsTalk(topics)

/** docs/topics-protocol.md */
class TopicsTalk implements Talk {
  readonly handshake = dialects['oneport.topics'].handshake
  readonly #topics: readonly string[]
  /** By topic, the epoch and the offset of the last message. */
  readonly #seen = new Map<string, [epoch: string, offset: string]>()
  #missing = 0
  #hasGap = false
  #published = 0

  constructor(topics: readonly string[]) {
    this.#topics = topics
  }

  begin(): string[] {
    this.#missing = this.#topics.length
    this.#hasGap = false
    return this.#topics.map((topic) => `subscribe ${this.#seen.get(topic)?.join(':') ?? '-'} ${topic}`)
  }

  hear(text: string): Heard {
    const head = text.slice(0, endOf(text))
    const [kind, first = '', second = ''] = head.split(' ')
    switch (kind) {
      case 'message': {
        const seen = this.#seen.get(head.slice(kind.length + first.length + 2))
        if (seen === undefined) throw new Error(`A message of a topic without subscription: ${head}`)
        seen[1] = first
        return { kind: 'message', text: text.slice(head.length + 1) }
      }
      case 'subscribed': {
        const [, , , beginning, topic = ''] = head.split(' ')
        this.#seen.set(topic, [first, second])
        this.#hasGap ||= beginning === 'gap'
        return --this.#missing === 0 ? { kind: 'open', isResumed: !this.#hasGap } : other
      }
      case 'gap':
        this.#seen.set(head.split(' ')[3] ?? '', [first, second])
        return { kind: 'gap' }
      case 'error':
        throw new Error(`The server answered: ${head}`)
      default:
        return other
    }
  }

  publish(topic: string, text: string): string {
    return `publish ${++this.#published} ${topic}\n${text}`
  }
}

function endOf(text: string): number {
  const end = text.indexOf('\n')
  return end === -1 ? text.length : end
}

/**
 * What socket.io-client 4 does, as packets of Engine.IO around packets of Socket.IO:
 * https://socket.io/docs/v4/engine-io-protocol, https://socket.io/docs/v4/socket-io-protocol
 */
class SocketIoTalk implements Talk {
  readonly handshake = dialects['socket.io'].handshake
  readonly #rooms: readonly string[]
  #pid: string | undefined
  #offset: string | undefined

  constructor(rooms: readonly string[]) {
    this.#rooms = rooms
  }

  begin(): string[] {
    const session = this.#pid === undefined ? {} : { pid: this.#pid, offset: this.#offset }
    return [`40${JSON.stringify({ ...session, rooms: this.#rooms })}`]
  }

  hear(text: string): Heard {
    if (text.startsWith('42')) {
      const [, message, offset] = JSON.parse(text.slice(2))
      if (typeof offset === 'string') this.#offset = offset
      return { kind: 'message', text: message }
    }
    if (text.startsWith('40')) {
      const { pid } = JSON.parse(text.slice(2))
      const isResumed = this.#pid === undefined || this.#pid === pid
      this.#pid = pid
      return { kind: 'open', isResumed }
    }
    if (text === '2') return { kind: 'ping', answer: '3' }
    if (text.startsWith('44')) throw new Error(`The server answered: ${text}`)
    return other
  }

  publish(topic: string, text: string): string {
    return `420${JSON.stringify(['publish', topic, text])}`
  }
}
