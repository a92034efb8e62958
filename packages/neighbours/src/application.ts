import type { IncomingMessage, ServerResponse } from 'node:http'
import { signal } from '@oneport/adapter-testsuite/parts'
import { acceptWebSocket, type WebSocket } from '@oneport/core'

/** Sends its name, echoes messages, and closes when asked to. */
export function converse(socket: WebSocket, name: string): void {
  socket.on('error', () => {})
  socket.on('message', (data, isBinary) => {
    if (String(data) === 'close, please') socket.close(1000)
    else socket.send(data, { binary: isBinary })
  })
  socket.send(name)
}

/**
 * The application of these tests: `/ours` is a WebSocket endpoint, `/page` is a page, everything else is a 404. Paths
 * that end in `/later` are not answered until `goOn()` is called.
 */
export class Application {
  readonly #gate = signal()
  readonly #arrival = signal()
  /** Resolves when a request waits for `goOn()`. */
  readonly arrived = this.#arrival.given
  readonly #question = signal()
  /** Resolves when the application has got a request. */
  readonly asked = this.#question.given
  readonly paths: (string | undefined)[] = []

  goOn(): void {
    this.#gate.give()
  }

  readonly listener = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    this.paths.push(req.url)
    this.#question.give()
    if (req.url?.endsWith('/later') === true) {
      this.#arrival.give()
      await this.#gate.given
    }
    if (req.url?.startsWith('/ours') === true) await acceptWebSocket(req, res, (socket) => converse(socket, 'ours'))
    else if (req.url?.startsWith('/page') === true) res.end('a page\n')
    else res.writeHead(404).end('not here\n')
  }
}

/** The `claims` option for this application. */
export const isOurs = ({ url = '' }: IncomingMessage): boolean => /^\/(?:ours|page)/.test(url)
