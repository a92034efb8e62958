import { Message, type MessageData } from './message.ts'
import { messageLead } from './serve/answers.ts'

/** A published message, which becomes one frame for plain sockets, and one for those that speak the protocol. */
export class Publication {
  readonly topic: string
  /** Undefined if the topic has no history. */
  readonly offset: number | undefined
  readonly #data: MessageData
  readonly #isBinary: boolean
  readonly #compress: boolean
  #plain: Message | undefined
  #served: Message | undefined

  /** @throws TypeError for data that can't be sent */
  constructor(topic: string, offset: number | undefined, data: MessageData, isBinary: boolean, compress: boolean) {
    this.topic = topic
    this.offset = offset
    this.#data = data
    this.#isBinary = isBinary
    this.#compress = compress
    // The form that is needed in any case: for the backplane, or for the history.
    if (offset === undefined) this.#plain = this.plain
    else this.#served = this.served
  }

  /** The data alone. */
  get plain(): Message {
    this.#plain ??= new Message(this.#data, this.#isBinary, this.#compress)
    return this.#plain
  }

  /** The data behind the header line of the protocol. */
  get served(): Message {
    this.#served ??= new Message(this.#data, this.#isBinary, this.#compress, messageLead(this.topic, this.offset))
    return this.#served
  }
}
