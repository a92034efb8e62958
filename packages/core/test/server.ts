import { once } from 'node:events'
import http, { type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { openRaw, type Target } from '@oneport/test-kit'
import { agree } from '../src/adapter.ts'
import { type Attachment, type AttachOptions, attach, type Dispatch } from '../src/index.ts'

export { read } from '@oneport/test-kit'

/** What the tests of one file have started, for `afterEach`. */
const started: { server: Server; attachment: Attachment }[] = []
const raws: Socket[] = []

/** A listening server with its attachment. */
export interface Served {
  readonly target: Target
  readonly server: Server
  readonly attachment: Attachment
}

/** Starts a server whose only application is `listener`. */
export async function serve(
  listener: Dispatch,
  options?: AttachOptions,
  server: Server = http.createServer(),
  host?: string
): Promise<Served> {
  server.on('request', (req, res) => void listener(req, res))
  return start(server, attach(server, listener, options), host)
}

/** Makes a server listen that is already attached. */
export async function start(
  server: Server,
  attachment: Attachment,
  host: string | undefined = '127.0.0.1'
): Promise<Served> {
  started.push({ server, attachment })
  await once(server.listen(0, host), 'listening')
  const { port } = server.address() as AddressInfo
  return { target: { port, tls: 'setSecureContext' in server }, server, attachment }
}

/** Agrees, and sends the response as a framework would. */
export async function acceptThrough(
  send: () => unknown,
  ...agreed: Parameters<typeof agree<IncomingMessage>>
): Promise<boolean> {
  const agreement = agree(...agreed)
  send()
  return agreement.settled()
}

/** A raw connection, which is closed at the end of the test. */
export async function open(target: Target): Promise<Socket> {
  const raw = await openRaw(target)
  raws.push(raw)
  return raw
}

/** For `afterEach`: closes everything and waits until no connection is left, so a leaked socket fails the test. */
export async function stopAll(): Promise<void> {
  for (const raw of raws.splice(0)) raw.destroy()
  for (const { server, attachment } of started.splice(0)) {
    const closed = server.listening ? once(server, 'close') : undefined
    if (closed !== undefined) server.close()
    for (const socket of attachment.connections) socket.terminate()
    await closed
    attachment.detach()
  }
}
