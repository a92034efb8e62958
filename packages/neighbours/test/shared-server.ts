import { once } from 'node:events'
import http, { type RequestListener, type Server } from 'node:http'
import https from 'node:https'
import { type AddressInfo, Socket } from 'node:net'
import { type Attachment, type AttachOptions, attach } from '@oneport/core'
import { certificate, type Target } from '@oneport/test-kit'
import { Application, isOurs } from '../src/application.ts'
import type { Arrangement } from './arrangements.ts'
import { within } from './within.ts'

/** A server that Oneport and a neighbour share. */
export interface SharedServer extends Target {
  readonly server: Server
  readonly application: Application
  readonly attachment: Attachment | undefined
  /** The raw sockets of all connections so far. */
  readonly rawSockets: readonly Socket[]
  /** Closes the server. Rejects if a connection is left. */
  close(): Promise<void>
}

const open: { end(): Promise<void> }[] = []

/** For `afterEach`: ends what the tests have started. */
export async function endServers(): Promise<void> {
  for (const server of open.splice(0)) await server.end()
}

/** Starts a server with a neighbour on it. */
export async function share(
  { order, claims, tls = false }: Arrangement,
  join: (server: Server) => unknown,
  options: AttachOptions = {},
  application = new Application(),
  dispatch: RequestListener = application.listener,
  given?: Server
): Promise<SharedServer> {
  const server = given ?? (tls ? https.createServer(await certificate(), dispatch) : http.createServer(dispatch))
  const rawSockets: Socket[] = []
  server.on(tls ? 'secureConnection' : 'connection', (socket: Socket) => rawSockets.push(socket))
  if (order !== 'first') await join(server)
  const attachment =
    order === 'alone'
      ? undefined
      : attach(server, dispatch, {
          onRefused: () => {},
          ...(claims ? { claims: isOurs } : {}),
          ...options
        })
  if (order === 'first') await join(server)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  open.push({
    end: async () => {
      if (server.listening) server.close()
      // The prototype's method, as the raw socket may have its own.
      for (const socket of rawSockets) Reflect.apply(Socket.prototype.destroy, socket, [])
      attachment?.detach()
    }
  })
  return {
    port,
    tls,
    server,
    application,
    attachment,
    rawSockets,
    close: () => within('the server is closed', closed(server))
  }
}

async function closed(server: Server): Promise<void> {
  await new Promise<void>((resolve) => server.close(() => resolve()))
  const connections = await new Promise<number>((resolve) => server.getConnections((_error, count) => resolve(count)))
  if (connections > 0) throw new Error(`The server has closed, but ${connections} connections are left.`)
}
