import { once } from 'node:events'
import { request } from 'node:http'
import { request as requestTls } from 'node:https'
import { connectClient, type Inbox, refused, type Target } from '@oneport/test-kit'
import type { WebSocket } from 'ws'
import type { Welcome } from './application.ts'

/** A client that connects through a proxy. */
export interface Visitor {
  /** The origin of the page, as a browser sends it. */
  readonly origin?: string
  /** The client's own address. */
  readonly from?: string
  readonly fields?: Record<string, string>
}

/** The host that a client addresses when it connects to a port of a test. */
export const hostAt = ({ port }: Target): string => `app.example:${port}`
export const originAt = (target: Target): string => `${target.tls ? 'https' : 'http'}://${hostAt(target)}`

const open: WebSocket[] = []

afterEach(() => {
  for (const socket of open.splice(0)) socket.terminate()
})

/** Connects until the end of the test. Rejects with the response if the handshake is refused. */
export async function visit(target: Target, path: string, { from, fields, origin }: Visitor = {}): Promise<Inbox> {
  const client = await connectClient(target, path, [], {
    headers: { Host: hostAt(target), ...fields },
    ...(origin && { origin }),
    ...(from && { localAddress: from })
  })
  open.push(client.socket)
  return client
}

/** Connects. @returns the status of the answer */
export function statusOf(target: Target, path: string, visitor: Visitor = {}): Promise<number> {
  const visiting = visit(target, path, visitor)
  return visiting.then(
    () => 101,
    () => refused(visiting)
  )
}

export const welcome = async (client: Inbox): Promise<Welcome> => JSON.parse(await client.next())

/** Whether a message is echoed. */
export async function echoes({ next, socket }: Inbox, message: string): Promise<boolean> {
  socket.send(message)
  return (await next()) === message
}

/** The status and body of the answer to an ordinary request. */
export async function get(target: Target, path: string): Promise<string> {
  const options = { port: target.port, path, host: '127.0.0.1', headers: { Host: hostAt(target) }, agent: false }
  const asking = target.tls ? requestTls({ ...options, rejectUnauthorized: false }) : request(options)
  const [response] = await once(asking.end(), 'response')
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) text += chunk
  return `${response.statusCode} ${text}`
}
