import { once } from 'node:events'
import type { RequestListener, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Attachment, attach } from '@oneport/core'
import { Application, isOurs } from './application.ts'

/** Commands from the tests. */
export type Command =
  | { readonly name: 'attach'; readonly claims: boolean }
  | { readonly name: 'detach' }
  /** Waits until the neighbour has decided about every handshake so far. */
  | { readonly name: 'settle' }
  /** Waits until the application has got a handshake that waits for `goOn`. */
  | { readonly name: 'arrive' }
  /** Lets the application answer. */
  | { readonly name: 'goOn' }
  /** Drains all connections. */
  | { readonly name: 'drain' }
  /** Closes the server. The answer is the number of connections left. */
  | { readonly name: 'close' }

/** A neighbour in its own process, with our application on the same server. */
export class Program {
  readonly #application = new Application()
  #attachment: Attachment | undefined
  #server: Server | undefined
  /** What the neighbour still does with handshakes. */
  readonly #decisions: Promise<unknown>[] = []
  /** Handles requests that are not for our application. */
  others: RequestListener = (_req, res) => res.writeHead(404).end('not here\n')

  /** The server's listener. */
  readonly listener: RequestListener = (req, res) => {
    if (isOurs(req)) void this.#application.listener(req, res)
    else this.others(req, res)
  }

  /** Our application alone, which answers 404 to everything else. */
  readonly own: RequestListener = (req, res) => void this.#application.listener(req, res)

  /** What Oneport dispatches to. */
  dispatch: RequestListener = this.listener

  /** Attaches Oneport before the neighbour, if the arguments of the process say so. */
  begin(server: Server): void {
    this.#server = server
    const [, , order, claims] = process.argv
    if (order === 'first') this.#attach(claims === 'claims')
  }

  decides(decision: Promise<unknown>): void {
    this.#decisions.push(decision)
  }

  /** Starts to listen, unless the neighbour has done so, and then takes commands. */
  async serve(server: Server, end: () => unknown = () => {}): Promise<void> {
    this.#server = server
    if (!server.listening) await once(server.listen(0, '127.0.0.1'), 'listening')
    process.on('message', (command: Command) => void this.#run(command, end).then((answer) => process.send?.(answer)))
    process.on('disconnect', () => process.exit())
    process.send?.((server.address() as AddressInfo).port)
  }

  #attach(claims: boolean): void {
    const options = claims ? { claims: isOurs } : {}
    this.#attachment = attach(this.#server as Server, this.dispatch, { onRefused: () => {}, ...options })
  }

  async #run(command: Command, end: () => unknown): Promise<number> {
    switch (command.name) {
      case 'attach':
        this.#attach(command.claims)
        return 0
      case 'detach':
        this.#attachment?.detach()
        return 0
      case 'settle':
        await Promise.allSettled(this.#decisions)
        return 0
      case 'arrive':
        await this.#application.arrived
        return 0
      case 'goOn':
        this.#application.goOn()
        return 0
      case 'drain':
        await this.#attachment?.drain()
        return 0
      case 'close':
        return this.#close(end)
    }
  }

  async #close(end: () => unknown): Promise<number> {
    const server = this.#server as Server
    const closed = once(server, 'close')
    server.close()
    await end()
    await closed
    return new Promise((resolve) => server.getConnections((_error, count) => resolve(count)))
  }
}
