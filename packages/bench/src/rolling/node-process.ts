import { createServer, type Server } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Attachment, attach, serveTopics } from '@oneport/core'
import { redisBackplane } from '@oneport/redis'
import { createTopics, type Topics } from '@oneport/topics'
import { createClient } from 'redis'
import { answerParent } from '../answers.ts'
import { listen } from '../contenders/endpoint.ts'
import { type Beat, keepBeats } from './beats.ts'

/** Questions to one of the nodes. */
export type NodeQuestion =
  | { readonly ask: 'start'; readonly port: number; readonly redisUrl: string }
  /** What was measured so far. */
  | { readonly ask: 'beats' }
  /** Shuts down as the page about it says. */
  | { readonly ask: 'stop'; readonly spreadMs: number }

export interface NodeAnswer {
  /** Their `count` is the number of handshakes that were accepted. */
  readonly beats: readonly Beat[]
}

/** How long the load balancer may take to notice that a node is leaving, in milliseconds. */
const noticeMs = 500
const history = { messages: 10_000, ms: 120_000 }
const access = { mayRead: () => true, mayPublish: () => true }

let server: Server
let attachment: Attachment
let topics: Topics
let isLeaving = false
let beats: readonly Beat[] = []

const isReady = (): boolean => !isLeaving && topics.stats().backplane?.health === 'up'

async function start(port: number, redisUrl: string): Promise<void> {
  topics = createTopics({ history, backplane: redisBackplane({ client: createClient({ url: redisUrl }) }) })
  server = createServer((req, res) => {
    if (req.url === '/ready') res.writeHead(isReady() ? 200 : 503).end()
    else void serveTopics(req, res, topics, access)
  })
  attachment = attach(server, { onRefused: () => {} })
  let accepted = 0
  beats = keepBeats(() => {
    const before = accepted
    accepted = attachment.stats().accepted
    return accepted - before
  })
  await listen(server, port)
  while (!isReady()) await sleep(10)
}

async function stop(spreadMs: number): Promise<void> {
  isLeaving = true
  await sleep(noticeMs)
  const closed = new Promise((resolve) => server.close(resolve))
  await attachment.drain({ code: 1012, spreadMs })
  server.closeAllConnections()
  await closed
  await topics.close()
}

answerParent(async (question: NodeQuestion): Promise<NodeAnswer> => {
  if (question.ask === 'start') await start(question.port, question.redisUrl)
  if (question.ask === 'stop') await stop(question.spreadMs)
  return { beats }
})
