import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import WebSocket from 'ws'
import { type ServerMessage, subprotocol } from '../src/message.ts'
import { nicknameCookie } from '../src/nickname.ts'

type MessageOf<Type extends ServerMessage['type']> = Extract<ServerMessage, { type: Type }>

/** A chat client that keeps what it has heard. */
export class Visitor {
  readonly socket: WebSocket
  /** The response to the handshake, whichever it was. */
  readonly response: Promise<IncomingMessage>
  readonly #heard: ServerMessage[] = []
  #onMessage = (): void => {}

  /** @param origin `ws://` or `wss://`, and where the demo listens; its certificate is taken as it is */
  constructor(origin: string, nickname: string | undefined, room = 'lobby', protocols = [subprotocol]) {
    const headers = nickname === undefined ? {} : { Cookie: `${nicknameCookie}=${encodeURIComponent(nickname)}` }
    this.socket = new WebSocket(`${origin}/chat/${room}`, protocols, { headers, rejectUnauthorized: false })
    this.response = new Promise((resolve) => {
      this.socket.on('upgrade', resolve)
      this.socket.on('unexpected-response', (_request, response) => {
        response.resume()
        resolve(response)
      })
    })
    this.socket.on('message', (data) => {
      this.#heard.push(JSON.parse(String(data)) as ServerMessage)
      this.#onMessage()
    })
  }

  say(text: string): void {
    this.socket.send(JSON.stringify({ type: 'say', text }))
  }

  /** The next message of a type that fits. Messages before it are dropped. */
  async hear<Type extends ServerMessage['type']>(
    type: Type,
    fits: (message: MessageOf<Type>) => boolean = () => true
  ): Promise<MessageOf<Type>> {
    for (;;) {
      for (let message = this.#heard.shift(); message !== undefined; message = this.#heard.shift()) {
        if (message.type === type && fits(message as MessageOf<Type>)) return message as MessageOf<Type>
      }
      await new Promise<void>((resolve) => {
        this.#onMessage = resolve
      })
    }
  }

  async closed(): Promise<number> {
    const [code] = (await once(this.socket, 'close')) as [number]
    return code
  }
}
