import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort, haproxyProgram, ProxyServer } from '@oneport/kit'
import { hasRedis, RedisProcess } from '../across-nodes/redis-process.ts'
import { Child } from '../child.ts'
import { summarize } from '../statistics.ts'
import type { Beat } from './beats.ts'
import type { CrowdAnswer, CrowdQuestion } from './crowd-process.ts'
import type { NodeAnswer, NodeQuestion } from './node-process.ts'
import type { Deploy, Fleet, Recording, Way } from './recording.ts'

type Node = Child<NodeQuestion, NodeAnswer>

/** How a deploy can spread its load: not at all, at one end, and at both. */
export const ways: readonly Way[] = [
  { closeMs: 0, returnMs: 0 },
  { closeMs: 0, returnMs: 3_000 },
  { closeMs: 10_000, returnMs: 0 },
  { closeMs: 10_000, returnMs: 3_000 }
]

/**
 * Deploys once in each way.
 * @throws Error if a program is missing
 */
export async function roll(fleet: Fleet, all: readonly Way[], onDeploy: (deploy: Deploy) => void): Promise<Recording> {
  if (!hasRedis() || !existsSync(haproxyProgram.path)) {
    throw new Error('The suite rolling needs Redis and HAProxy: apt-get install redis-server haproxy')
  }
  const deploys: Deploy[] = []
  for (const way of all) {
    const deploy = await deployOnce(fleet, way)
    deploys.push(deploy)
    onDeploy(deploy)
  }
  return { ...fleet, deploys }
}

const backend = (ports: readonly number[]): string => `default_backend app
backend app
balance leastconn
timeout tunnel 1h
option redispatch
option httpchk GET /ready
default-server check inter 100ms rise 1 fall 1
${ports.map((port, index) => `server node${index} 127.0.0.1:${port}`).join('\n')}`

/** Restarts one node after the other, while clients are subscribed and messages are published. */
async function deployOnce({ nodes: count, clients, perSecond, restMs }: Fleet, way: Way): Promise<Deploy> {
  const redis = await RedisProcess.start()
  const children: { end(): Promise<void> }[] = []
  const start = async (port: number): Promise<Node> => {
    const node: Node = new Child(`The node at ${port}`, join(__dirname, 'node-process.js'), undefined)
    children.push(node)
    await node.ask({ ask: 'start', port, redisUrl: redis.url })
    return node
  }
  let proxy: ProxyServer | undefined
  try {
    const ports: number[] = []
    for (let index = 0; index < count; index++) ports.push(await freePort())
    const nodes = await Promise.all(ports.map(start))
    proxy = await ProxyServer.startHaproxy(backend(ports))
    const crowd = new Child<CrowdQuestion, CrowdAnswer>('The clients', join(__dirname, 'crowd-process.js'), undefined)
    children.push(crowd)
    await crowd.ask({ ask: 'open', port: proxy.port, clients, returnMs: way.returnMs })
    await crowd.ask({ ask: 'publish', perSecond })
    // What opening the clients has cost is not recorded.
    await sleep(restMs)
    const quietFrom = Date.now()
    await sleep(restMs)
    const from = Date.now()
    const beats: Beat[] = []
    for (const [index, port] of ports.entries()) {
      const node = nodes[index] as Node
      beats.push(...(await node.ask({ ask: 'stop', spreadMs: way.closeMs })).beats)
      await node.end()
      nodes[index] = await start(port)
      await sleep(restMs)
    }
    const to = Date.now()
    const { awayMs = [], messages, beats: crowdBeats = [] } = await crowd.ask({ ask: 'end' })
    for (const node of nodes) beats.push(...(await node.ask({ ask: 'beats' })).beats)
    if (messages === undefined) throw new Error('The clients have not counted.')
    const before = beats.filter(({ at }) => at > quietFrom + 1_000 && at <= from)
    const during = beats.filter(({ at }) => at > from && at <= to)
    const crowdDuring = crowdBeats.filter(({ at }) => at > from && at <= to)
    return {
      ...way,
      seconds: (to - from) / 1_000,
      losses: awayMs.length,
      awayMs: { median: summarize(awayMs).median, worst: Math.max(...awayMs) },
      handshakes: Math.max(...during.map((beat) => beat.count)),
      cpu: { most: most(during, 'cpu'), before: summarize(before.map(({ cpu }) => cpu)).median },
      delayMs: { worst: most(during, 'worstDelayMs'), before: most(before, 'worstDelayMs') },
      crowd: {
        cpu: crowdDuring.reduce((sum, { cpu }) => sum + cpu, 0) / crowdDuring.length,
        delayMs: most(crowdDuring, 'worstDelayMs')
      },
      messages,
      timeline: { away: perSecondOf(crowdDuring, from), handshakes: perSecondOf(during, from) }
    }
  } finally {
    await Promise.all(children.map((child) => child.end()))
    await proxy?.stop()
    await redis.end()
  }
}

const most = (beats: readonly Beat[], key: 'cpu' | 'worstDelayMs'): number =>
  Math.max(...beats.map((beat) => beat[key]))

/** The sums of what was counted in each second since a time. */
function perSecondOf(beats: readonly Beat[], from: number): number[] {
  const seconds: number[] = []
  for (const { at, count } of beats) {
    const second = Math.floor((at - from) / 1_000)
    seconds[second] = (seconds[second] ?? 0) + count
  }
  return Array.from(seconds, (sum) => sum ?? 0)
}
