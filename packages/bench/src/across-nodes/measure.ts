import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Child } from '../child.ts'
import type { CrowdAnswer, CrowdQuestion } from './crowd-process.ts'
import type { NodeAnswer, NodeQuestion } from './node-process.ts'
import { RedisProcess } from './redis-process.ts'

export interface Extent {
  readonly nodes: number
  readonly clientsPerNode: number
  /** Duration of each step, in milliseconds. */
  readonly durationMs: number
}

/** Number of topics that the clients share, one each, and the total rate of the first step. */
export interface Spread {
  readonly topics: number
  readonly perSecond: number
}

/** The results of one rate. */
export interface Step {
  readonly topics: number
  /** Per second, over all nodes. */
  readonly published: number
  readonly delivered: number
  /** The share of messages that arrived. */
  readonly share: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Number of busy cores. */
  readonly nodeCores: number
  readonly redisCores: number
  readonly crowdCores: number
}

export interface Measured {
  readonly steps: readonly Step[]
  readonly bytesPerConnection: number
  readonly redisBytesPerSubscription: number
}

/** A step is the last one of its spread if half of its messages arrive later than this, or if some are lost. */
const tooLateMs = 250
const enough = 0.99

type Nodes = readonly Child<NodeQuestion, NodeAnswer>[]
type Crowd = Child<CrowdQuestion, CrowdAnswer>

const askAll = (nodes: Nodes, question: NodeQuestion): Promise<NodeAnswer[]> =>
  Promise.all(nodes.map((node) => node.ask(question)))

const sum = (answers: readonly NodeAnswer[], key: keyof NodeAnswer): number =>
  answers.reduce((total, answer) => total + (answer[key] ?? 0), 0)

/** Publishes faster and faster, doubling the rate each time, until messages arrive late. */
export async function measure(
  extent: Extent,
  spreads: readonly Spread[],
  onStep: (step: Step) => void
): Promise<Measured> {
  const redis = await RedisProcess.start()
  const script = (name: string): string => join(__dirname, `${name}.js`)
  const nodes = Array.from(
    { length: extent.nodes },
    (_, index) =>
      new Child<NodeQuestion, NodeAnswer>(`node ${index}`, script('node-process'), undefined, ['--expose-gc'])
  )
  const crowd: Crowd = new Child('clients', script('crowd-process'), undefined)
  try {
    const ports = (await askAll(nodes, { ask: 'start', redisUrl: redis.url })).map(({ port }) => port as number)
    const connections = extent.nodes * extent.clientsPerNode
    const before = sum(await askAll(nodes, { ask: 'memory' }), 'rssBytes')
    let bytesPerConnection: number | undefined
    let redisBytesPerSubscription = 0
    const steps: Step[] = []
    for (const { topics, perSecond } of spreads) {
      const redisBefore = await redis.memoryBytes()
      await crowd.ask({ ask: 'connect', ports, perNode: extent.clientsPerNode, topics })
      await askAll(nodes, { ask: 'settle' })
      bytesPerConnection ??= (sum(await askAll(nodes, { ask: 'memory' }), 'rssBytes') - before) / connections
      redisBytesPerSubscription = ((await redis.memoryBytes()) - redisBefore) / (topics * extent.nodes)
      for (let rate = perSecond; ; rate *= 2) {
        const step = await takeStep(nodes, crowd, redis, extent, topics, rate)
        steps.push(step)
        onStep(step)
        if (step.share < enough || step.p50Ms > tooLateMs) break
      }
      await crowd.ask({ ask: 'disconnect' })
      // The nodes unsubscribe from their topics in Redis.
      await sleep(500)
    }
    return { steps, bytesPerConnection: bytesPerConnection ?? Number.NaN, redisBytesPerSubscription }
  } finally {
    await Promise.all([...nodes, crowd].map((child) => child.end()))
    await redis.end()
  }
}

async function takeStep(
  nodes: Nodes,
  crowd: Crowd,
  redis: RedisProcess,
  { nodes: count, clientsPerNode, durationMs }: Extent,
  topics: number,
  perSecond: number
): Promise<Step> {
  await crowd.ask({ ask: 'begin' })
  const redisBefore = await redis.cpuMs()
  const load = { ask: 'load', perSecond: perSecond / count, durationMs, topics } as const
  const loads = await Promise.all(nodes.map((node, index) => node.ask({ ...load, phase: index / count })))
  const redisCpuMs = (await redis.cpuMs()) - redisBefore
  const { delivered = 0, p50Ms = Number.NaN, p99Ms = Number.NaN, cpuMs = 0 } = await crowd.ask({ ask: 'end' })
  const published = sum(loads, 'published')
  const expected = (published * count * clientsPerNode) / topics
  return {
    topics,
    published: (published / durationMs) * 1_000,
    delivered: (delivered / durationMs) * 1_000,
    share: delivered / expected,
    p50Ms,
    p99Ms,
    nodeCores: sum(loads, 'cpuMs') / durationMs,
    redisCores: redisCpuMs / durationMs,
    crowdCores: cpuMs / durationMs
  }
}
