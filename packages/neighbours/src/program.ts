import { once } from 'node:events'
import type { RequestListener, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Attachment, attach } from '@oneport/core'
import { Application, isOurs } from './application.ts'

/** What the tests ask of a program. */
export type Command =
  | { readonly name: 'attach'; readonly claims: boolean }
  | { readonly name: 'detach' }
  /** The neighbour has decided about every handshake so far. */
  | { readonly name: 'settle' }
  /** The application has got a handshake that waits for it. */
  | { readonly name: 'arrive' }
  /** The application answers what waits. */
  | { readonly name: 'goOn' }
  /** All connections are drained. */
  | { readonly name: 'drain' }
  /** The server is closed; the answer is how many connections are left. */
  | { readonly name: 'close' }

/** A neighbour in a process of its own, and our application on the same server. */
export class Program {
  readonly #application = new Application()
  #attachment: Attachment | undefined
  #server: Server | undefined
  /** What the neighbour does with handshakes. */
  readonly #decisions: Promise<unknown>[] = []
  /** Requests that are not for our application. */
  others: RequestListener = (_req, res) => res.writeHead(404).end('not here\n')

  /** The listener of the server. */
  readonly listener: RequestListener = (req, res) => {
    if (isOurs(req)) void this.#application.listener(req, res)
    else this.others(req, res)
  }

  /** Our application alone, which answers 404 to what is not its own. */
  readonly own: RequestListener = (req, res) => void this.#application.listener(req, res)

  /** What Oneport dispatches to. */
  dispatch: RequestListener = this.listener

  /** Attaches Oneport before the neighbour comes, where the arguments of the process say so. */
  begin(server: Server): void {
    this.#server = server
    const [, , order, claims] = process.argv
    if (order === 'first') this.#attach(claims === 'claims')
  }

  decides(decision: Promise<unknown>): void {
    this.#decisions.push(decision)
  }

  /** Listens, where the neighbour does not do that itself, and does what the tests ask for. */
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
