import { answerParent } from '../answers.ts'
import { Client } from '../generator/client.ts'
import { crowd } from '../generator/crowd.ts'
import { frameLength, now, publishedAt, topicPath } from './message.ts'

/** Questions to the process of the clients. */
export type CrowdQuestion =
  /** Connects `perNode` clients to each port, the first with topic 0, the next with topic 1, and so on in rotation. */
  | { readonly ask: 'connect'; readonly ports: readonly number[]; readonly perNode: number; readonly topics: number }
  | { readonly ask: 'begin' }
  | { readonly ask: 'end' }
  | { readonly ask: 'disconnect' }

export interface CrowdAnswer {
  readonly delivered?: number
  /** Milliseconds from publishing to receiving, sorted. */
  readonly p50Ms?: number
  readonly p99Ms?: number
  readonly cpuMs?: number
}

let clients: Client[] = []
let latencies: number[] = []
let cpu = process.cpuUsage()

/** Reads frames of one length, however they are split into chunks. */
function reader(): (chunk: Buffer) => void {
  let rest: Buffer | undefined
  return (chunk) => {
    const bytes = rest === undefined ? chunk : Buffer.concat([rest, chunk])
    const arrivedAt = now()
    let at = 0
    for (; at + frameLength <= bytes.length; at += frameLength) latencies.push(arrivedAt - publishedAt(bytes, at))
    // A copy, because the chunk is valid only during the call.
    rest = at === bytes.length ? undefined : Buffer.from(bytes.subarray(at))
  }
}

const handshakeFor = (path: string): Buffer =>
  Buffer.from(
    [
      `GET ${path} HTTP/1.1`,
      'Host: 127.0.0.1',
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      '\r\n'
    ].join('\r\n')
  )

async function connect(ports: readonly number[], perNode: number, topics: number): Promise<CrowdAnswer> {
  let next = 0
  await crowd(ports.length * perNode, 100, async () => {
    const index = next++
    const client = new Client(ports[index % ports.length] as number)
    client.write(handshakeFor(topicPath(topics, Math.floor(index / ports.length) % topics)))
    const head = await client.received('\r\n\r\n')
    if (!head.startsWith('HTTP/1.1 101 ')) throw new Error(`Expected a 101, got: ${head.split('\r\n')[0]}`)
    client.receive = reader()
    clients.push(client)
  })
  return {}
}

function begin(): CrowdAnswer {
  latencies = []
  cpu = process.cpuUsage()
  return {}
}

function end(): CrowdAnswer {
  const { user, system } = process.cpuUsage(cpu)
  const sorted = Float64Array.from(latencies).sort()
  const at = (share: number): number => sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN
  return { delivered: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), cpuMs: (user + system) / 1_000 }
}

function disconnect(): CrowdAnswer {
  for (const client of clients) client.reset()
  clients = []
  return {}
}

answerParent(async (question: CrowdQuestion): Promise<CrowdAnswer> => {
  switch (question.ask) {
    case 'connect':
      return connect(question.ports, question.perNode, question.topics)
    case 'begin':
      return begin()
    case 'end':
      return end()
    case 'disconnect':
      return disconnect()
  }
})
