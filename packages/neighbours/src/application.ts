import type { IncomingMessage, ServerResponse } from 'node:http'
import { acceptWebSocket, type WebSocket } from '@oneport/core'
import { gate } from './gate.ts'

/** Says what it is, answers each message with the same, and closes when it is told to. */
export function converse(socket: WebSocket, name: string): void {
  socket.on('error', () => {})
  socket.on('message', (data, isBinary) => {
    if (String(data) === 'close, please') socket.close(1000)
    else socket.send(data, { binary: isBinary })
  })
  socket.send(name)
}

/**
 * The application of these tests: `/ours` is a WebSocket, `/page` is a page, and the rest is a 404. A path that ends in
 * `/later` is answered when `goOn()` is called.
 */
export class Application {
  readonly #gate = gate()
  readonly #arrival = gate()
  /** A request waits for `goOn()`. */
  readonly arrived = this.#arrival.opened
  readonly #question = gate()
  /** It has got a request. */
  readonly asked = this.#question.opened
  readonly paths: (string | undefined)[] = []

  goOn(): void {
    this.#gate.open()
  }

  readonly listener = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    this.paths.push(req.url)
    this.#question.open()
    if (req.url?.endsWith('/later') === true) {
      this.#arrival.open()
      await this.#gate.opened
    }
    if (req.url?.startsWith('/ours') === true) await acceptWebSocket(req, res, (socket) => converse(socket, 'ours'))
    else if (req.url?.startsWith('/page') === true) res.end('a page\n')
    else res.writeHead(404).end('not here\n')
  }
}

/** What `claims` says for this application. */
export const isOurs = ({ url = '' }: IncomingMessage): boolean => /^\/(?:ours|page)/.test(url)
