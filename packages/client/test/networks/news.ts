import { EventEmitter, once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type AttachOptions, attach, serveTopics } from '@oneport/core'
import { createTopics, type Topics } from '@oneport/topics'
import { clientScript } from '../bundled.ts'
import { html } from './page.ts'

const script = clientScript()

/** A server with a page that follows its topics, among them `news`: 1, 2, 3 and so on. */
export interface News {
  readonly port: number
  readonly topics: Topics
  /** The number of the last message. */
  readonly count: number
  /** Resolves when there have been so many more messages. */
  more(messages: number): Promise<void>
  /** Resolves when the server has given up each WebSocket. */
  deserted(): Promise<void>
}

const open = new Set<() => Promise<void>>()
afterEach(async () => {
  for (const close of open) await close()
  open.clear()
})

/** @param everyMs the time between two messages */
export async function openNews(everyMs: number, options: AttachOptions = {}): Promise<News> {
  const topics = createTopics({ history: { messages: 100_000, ms: 300_000 } })
  const server = createServer((req, res) => {
    if (req.url?.startsWith('/?')) res.setHeader('Content-Type', 'text/html').end(html)
    else if (req.url === '/client.js') res.setHeader('Content-Type', 'text/javascript').end(script)
    else void serveTopics(req, res, topics, { mayRead: () => true, mayPublish: () => true })
  })
  // Proxies do not pass on `Host` by default, so the origin of the page looks like another one.
  const attachment = attach(server, { allowedOrigins: [/http:\/\/127\.0\.0\.1:\d+/], ...options })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  let count = 0
  const publishing = new EventEmitter()
  const timer = setInterval(() => {
    topics.publish('news', String(++count))
    publishing.emit('message')
  }, everyMs)
  open.add(async () => {
    clearInterval(timer)
    server.closeAllConnections()
    await once(server.close(), 'close')
    await topics.close()
  })
  return {
    port,
    topics,
    get count() {
      return count
    },
    async more(messages) {
      for (const until = count + messages; count < until; ) await once(publishing, 'message')
    },
    async deserted() {
      while (attachment.stats().open > 0) await sleep(10)
    }
  }
}
