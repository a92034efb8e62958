import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Attachment, type AttachOptions, acceptWebSocket, attach, type WebSocket } from '@oneport/core'

/** A server with one endpoint, which can go away and come back on the same port. */
export interface Site {
  readonly url: string
  readonly port: number
  /** Those that are open, oldest first. */
  readonly sockets: WebSocket[]
  /** What each handshake sent. */
  readonly handshakes: IncomingMessage[]
  /** What each ordinary request sent. */
  readonly requests: IncomingMessage[]
  /** Answers ordinary requests for other paths, if it is set. */
  page: ((req: IncomingMessage, res: ServerResponse) => void) | undefined
  /** Answers instead of accepting, if it is set. */
  answer: ((req: IncomingMessage, res: ServerResponse) => void) | undefined
  /** The next connection. */
  connection(): Promise<WebSocket>
  start(): Promise<void>
  /** Closes all connections without a closing handshake, and listens no more. */
  stop(): Promise<void>
}

const running = new Set<Site>()
afterEach(async () => {
  for (const site of running) await site.stop()
})

/** @param serve called with each connection */
export async function openSite(
  options: AttachOptions = {},
  serve: (socket: WebSocket) => void = () => {}
): Promise<Site> {
  let server: Server | undefined
  let attachment: Attachment | undefined
  let port = 0
  let waiting: ((socket: WebSocket) => void)[] = []
  const site: Site = {
    get url() {
      return `ws://127.0.0.1:${port}/socket`
    },
    get port() {
      return port
    },
    sockets: [],
    handshakes: [],
    requests: [],
    page: undefined,
    answer: undefined,
    connection: () => new Promise((resolve) => waiting.push(resolve)),
    async start() {
      running.add(site)
      server = createServer((req, res) => {
        if (!req.url?.startsWith('/socket')) return site.page?.(req, res)
        if (req.headers.upgrade === undefined) site.requests.push(req)
        else site.handshakes.push(req)
        if (site.answer !== undefined) return site.answer(req, res)
        void acceptWebSocket(req, res, (socket) => {
          site.sockets.push(socket)
          serve(socket)
          socket.on('close', () => site.sockets.splice(site.sockets.indexOf(socket), 1))
          const resolves = waiting
          waiting = []
          for (const resolve of resolves) resolve(socket)
        })
      })
      attachment = attach(server, options)
      await once(server.listen(port, '127.0.0.1'), 'listening')
      port = (server.address() as AddressInfo).port
    },
    async stop() {
      running.delete(site)
      if (server === undefined) return
      const closed = once(server, 'close')
      for (const socket of [...site.sockets]) socket.terminate()
      attachment?.detach()
      server.close()
      server.closeAllConnections()
      server = undefined
      await closed
    }
  }
  await site.start()
  return site
}
