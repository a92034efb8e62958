import { setTimeout as sleep } from 'node:timers/promises'
import { connectTopics, type Topics } from '@oneport/client'
import { WebSocket } from 'ws'
import { answerParent } from '../answers.ts'
import { Ledger, readMessage, writeMessage } from '../generator/resume/ledger.ts'
import { type Beat, keepBeats } from './beats.ts'
import type { Messages } from './recording.ts'

/** Questions to the process of the clients. */
export type CrowdQuestion =
  /** Opens clients, each with two topics. */
  | { readonly ask: 'open'; readonly port: number; readonly clients: number; readonly returnMs: number }
  /** Publishes messages from now on. */
  | { readonly ask: 'publish'; readonly perSecond: number }
  /** Publishes no more, waits until all clients have everything, and counts. */
  | { readonly ask: 'end' }

export interface CrowdAnswer {
  /** The length of each time without a connection, in milliseconds. */
  readonly awayMs?: readonly number[]
  readonly messages?: Messages
  /** Their `count` is the number of clients without a connection. */
  readonly beats?: readonly Beat[]
}

/** Clients that connect at once. */
const atOnce = 50
const everyone = 'news'
/** The number of rooms. Each client is in one of them, and in a topic for everyone. */
const rooms = 50
/** One of so many messages is for everyone. The others are for one room after the other. */
const rare = 10
/** How long to wait for messages in the end, in milliseconds. */
const patienceMs = 20_000

interface Member {
  readonly client: Topics
  readonly topics: readonly string[]
  readonly received: Ledger
}

const members: Member[] = []
const awayMs: number[] = []
const published = new Map<string, number>()
let publisher: Topics | undefined
let timer: NodeJS.Timeout | undefined
let turn = 0
let waiting = 0
let delivered = 0
let gaps = 0
let unpublished = 0
let beats: readonly Beat[] = []

const roomAt = (index: number): string => `room/${index % rooms}`

async function open(port: number, clients: number, returnMs: number): Promise<void> {
  const connect = (): Topics =>
    connectTopics(`ws://127.0.0.1:${port}/topics`, { webSocket: WebSocket, spreadMs: returnMs })
  publisher = connect()
  for (let first = 0; first < clients; first += atOnce) {
    const count = Math.min(atOnce, clients - first)
    await Promise.all(Array.from({ length: count }, (_, at) => join(connect(), [everyone, roomAt(first + at)])))
  }
  beats = keepBeats(() => members.filter(({ client }) => client.state !== 'open').length)
}

/** Resolves when the client is subscribed. */
async function join(client: Topics, topics: readonly string[]): Promise<void> {
  const received = new Ledger()
  members.push({ client, topics, received })
  const subscribed = topics.map(
    (topic) =>
      new Promise<void>((onSubscribed) => {
        const onMessage = (text: string | Uint8Array): void => {
          delivered++
          received.add(readMessage(String(text)))
        }
        client.subscribe(topic, onMessage, { onSubscribed: () => onSubscribed(), onGap: () => gaps++ })
      })
  )
  await Promise.all(subscribed)
  let lostAt: number | undefined
  client.addEventListener('statechange', () => {
    if (client.state !== 'open') lostAt ??= performance.now()
    else if (lostAt !== undefined) {
      awayMs.push(performance.now() - lostAt)
      lostAt = undefined
    }
  })
}

function publish(): void {
  const topic = ++turn % rare === 0 ? everyone : roomAt(turn)
  const number = (published.get(topic) ?? 0) + 1
  published.set(topic, number)
  waiting++
  publisher
    ?.publish(topic, writeMessage({ topic, number }))
    .catch(() => unpublished++)
    .finally(() => waiting--)
}

const missing = (): number =>
  members.reduce(
    (sum, { topics, received }) =>
      sum + topics.reduce((own, topic) => own + received.missing(topic, published.get(topic) ?? 0), 0),
    0
  )

async function end(): Promise<CrowdAnswer> {
  clearInterval(timer)
  const late = performance.now() + patienceMs
  while (performance.now() < late && (waiting > 0 || missing() > 0)) await sleep(100)
  const doubled = members.reduce((sum, { received }) => sum + received.doubled, 0)
  const messages = { delivered, missing: missing(), doubled, gaps, unpublished: unpublished + waiting }
  for (const client of [publisher, ...members.map((member) => member.client)]) client?.close()
  return { awayMs, messages, beats }
}

answerParent(async (question: CrowdQuestion): Promise<CrowdAnswer> => {
  switch (question.ask) {
    case 'open':
      await open(question.port, question.clients, question.returnMs)
      return {}
    case 'publish':
      timer = setInterval(publish, 1_000 / question.perSecond)
      return {}
    case 'end':
      return end()
  }
})
