import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Attachment, acceptWebSocket, attach } from '@oneport/core'
import { createTopics } from '@oneport/topics'
import { answerParent } from '../answers.ts'
import { broadcastText } from '../contenders/broadcast.ts'
import { answerPlain, listen, path } from '../contenders/endpoint.ts'
import { oneportOptions } from '../contenders/oneport-options.ts'

/** Questions to the server. */
export type EnduranceQuestion =
  | { readonly ask: 'start' }
  /** What has happened since the last beat. Then sends a message to all clients. */
  | { readonly ask: 'beat' }
  /** Closes all connections, evenly over a time in milliseconds. */
  | { readonly ask: 'drain'; readonly spreadMs: number }

/** What the server measures each second. */
export interface Beat {
  readonly open: number
  readonly rssBytes: number
  readonly heapBytes: number
  readonly cpuMs: number
  /** Between the last broadcast and this one. */
  readonly worstDelayMs: number
  /** Until the loop was free again. */
  readonly broadcastMs: number
}

export interface EnduranceAnswer extends Partial<Beat> {
  readonly port?: number
  /** Number of connections that had to be terminated at the end of the drain. */
  readonly terminated?: number
}

const topic = 'news'
const topics = createTopics()
/** The interval of the monitor's timer, which is part of each delay it measures. */
const resolution = 1
const delay = monitorEventLoopDelay({ resolution })
let attachment: Attachment
let cpu = process.cpuUsage()

async function start(): Promise<EnduranceAnswer> {
  const listener: RequestListener = (req, res) => {
    if (req.url !== path) return answerPlain(req, res)
    acceptWebSocket(req, res, (socket) => {
      socket.on('error', () => {})
      topics.subscribe(socket, topic)
    })
  }
  const server = createServer(listener)
  attachment = attach(server, listener, oneportOptions({}))
  await listen(server)
  delay.enable()
  return { port: (server.address() as AddressInfo).port }
}

const worstDelay = (): number => Math.max(0, delay.max / 1e6 - resolution)

async function beat(): Promise<Beat> {
  const worstDelayMs = worstDelay()
  const { user, system } = process.cpuUsage(cpu)
  cpu = process.cpuUsage()
  const { rss: rssBytes, heapUsed: heapBytes } = process.memoryUsage()
  const started = performance.now()
  topics.publish(topic, broadcastText)
  // Topics write when the tick ends, and timers run later: the monitor does not see the broadcast.
  await nextTurn()
  const broadcastMs = performance.now() - started
  delay.reset()
  const { open } = attachment.stats()
  return { open, rssBytes, heapBytes, cpuMs: (user + system) / 1_000, worstDelayMs, broadcastMs }
}

async function drain(spreadMs: number): Promise<EnduranceAnswer> {
  delay.reset()
  const { terminated } = await attachment.drain({ spreadMs })
  return { terminated, worstDelayMs: worstDelay() }
}

answerParent(async (question: EnduranceQuestion): Promise<EnduranceAnswer> => {
  switch (question.ask) {
    case 'start':
      return start()
    case 'beat':
      return beat()
    case 'drain':
      return drain(question.spreadMs)
  }
})
