import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { type WebSocket, WebSocketServer } from 'ws'
import { createTopics, type Topics, type TopicsAccess } from '../src/index.ts'
import { atEnd } from './pair.ts'

/** How the topics of a conversation are set up. */
export interface Setting {
  readonly name: string
  /** Number of messages that are kept. */
  readonly history?: number
  /** Topics that nobody may read or publish to. */
  readonly forbidden?: readonly string[]
  /** Whether clients show who they are. */
  readonly presence?: boolean
}

/**
 * Serves conversations: a WebSocket at `/<name>?as=<client>` joins one, and a POST to `/<name>?topic=<topic>` publishes
 * its body.
 * @returns the port
 */
export async function serveConversations(settings: readonly Setting[], subprotocol: string): Promise<number> {
  const open = new Map<string, Topics<WebSocket>>()
  const topicsOf = ({ name, history = 1_000 }: Setting): Topics<WebSocket> => {
    const topics = open.get(name) ?? createTopics<WebSocket>(history === 0 ? {} : { history: { messages: history } })
    open.set(name, topics)
    return topics
  }
  const read = (url = ''): { setting: Setting; query: URLSearchParams } => {
    const { pathname, searchParams } = new URL(url, 'http://localhost')
    const setting = settings.find(({ name }) => name === decodeURIComponent(pathname.slice(1)))
    if (setting === undefined) throw new Error(`No conversation ${pathname}`)
    return { setting, query: searchParams }
  }
  const http = createServer(async (req, res) => {
    const { setting, query } = read(req.url)
    topicsOf(setting).publish(query.get('topic') ?? '', await text(req))
    res.end()
  })
  const server = new WebSocketServer({ server: http, handleProtocols: () => subprotocol })
  server.on('connection', (socket, req) => {
    const { setting, query } = read(req.url)
    const isAllowed = (topic: string): boolean => setting.forbidden?.includes(topic) !== true
    const id = query.get('as') ?? ''
    const access: TopicsAccess = { mayRead: isAllowed, mayPublish: isAllowed }
    topicsOf(setting).serve(socket, setting.presence ? { ...access, presence: { id } } : access)
  })
  await once(http.listen(0, '127.0.0.1'), 'listening')
  atEnd(async () => {
    for (const topics of open.values()) await topics.close()
    for (const socket of server.clients) socket.terminate()
    http.closeAllConnections()
    await once(http.close(), 'close')
  })
  return (http.address() as AddressInfo).port
}
