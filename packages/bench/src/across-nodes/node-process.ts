import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { acceptWebSocket, attach } from '@oneport/core'
import { redisBackplane } from '@oneport/redis'
import { createTopics, type Topics } from '@oneport/topics'
import { createClient } from 'redis'
import { answerParent } from '../answers.ts'
import { createMessage, topicPath } from './message.ts'
import { pace } from './pace.ts'

/** Questions to one of the nodes. */
export type NodeQuestion =
  | { readonly ask: 'start'; readonly redisUrl: string }
  /** Waits until the node has subscribed to the topics of all its clients. */
  | { readonly ask: 'settle' }
  | {
      readonly ask: 'load'
      readonly perSecond: number
      readonly durationMs: number
      readonly phase: number
      readonly topics: number
    }
  | { readonly ask: 'memory' }

type Load = Extract<NodeQuestion, { ask: 'load' }>

export interface NodeAnswer {
  readonly port?: number
  readonly published?: number
  readonly failed?: number
  readonly cpuMs?: number
  readonly rssBytes?: number
}

let topics: Topics
let turn = 0

async function start(redisUrl: string): Promise<NodeAnswer> {
  topics = createTopics({ backplane: redisBackplane({ client: createClient({ url: redisUrl }) }) })
  // The path is the topic.
  const listener: RequestListener = (req, res) =>
    acceptWebSocket(req, res, (socket) => topics.subscribe(socket, req.url ?? ''))
  const server = createServer(listener)
  // The clients read only messages.
  attach(server, listener, { heartbeat: false })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return { port: (server.address() as AddressInfo).port }
}

async function settle(): Promise<NodeAnswer> {
  const isSettled = (): boolean => {
    const { backplane } = topics.stats()
    return backplane?.health === 'up' && backplane.missing === 0
  }
  while (!isSettled()) await sleep(20)
  return {}
}

async function load({ perSecond, durationMs, phase, topics: count }: Load): Promise<NodeAnswer> {
  const { published, backplane } = topics.stats()
  const cpu = process.cpuUsage()
  await pace(perSecond, durationMs, phase, () => {
    turn = (turn + 1) % count
    topics.publish(topicPath(count, turn), createMessage())
  })
  // Messages from other nodes are still arriving.
  await sleep(durationMs / 4)
  const { user, system } = process.cpuUsage(cpu)
  const after = topics.stats()
  return {
    published: after.published - published,
    failed: (after.backplane?.failed ?? 0) - (backplane?.failed ?? 0),
    cpuMs: (user + system) / 1_000
  }
}

async function memory(): Promise<NodeAnswer> {
  for (let times = 0; times < 2; times++) {
    await sleep(5)
    globalThis.gc?.()
  }
  return { rssBytes: process.memoryUsage().rss }
}

answerParent(async (question: NodeQuestion): Promise<NodeAnswer> => {
  switch (question.ask) {
    case 'start':
      return start(question.redisUrl)
    case 'settle':
      return settle()
    case 'load':
      return load(question)
    case 'memory':
      return memory()
  }
})
