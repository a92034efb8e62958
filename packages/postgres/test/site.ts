import { setTimeout as sleep } from 'node:timers/promises'
import { PostgresServer } from '@oneport/test-kit'
import type { HistoryBackplane, Position } from '@oneport/topics'
import { Client } from 'pg'
import { atEnd } from '../../topics/test/pair.ts'
import { type PostgresBackplaneOptions, postgresBackplane } from '../src/index.ts'

export const limits = { messages: 1_000, ms: 60_000, bytes: 10_000_000 }

/** Polls for a condition that has no event. */
export async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await sleep(5)
}

export interface Site {
  readonly server: PostgresServer
  /** Opens a backplane, and waits until it is connected. */
  join(options?: Partial<PostgresBackplaneOptions>): Promise<HistoryBackplane>
  sql(text: string, values?: unknown[]): Promise<Record<string, unknown>[]>
}

export async function openSite(...options: string[]): Promise<Site & { stop(): Promise<void> }> {
  const server = await PostgresServer.start(...options)
  return {
    server,
    join: (given) => join(server, given),
    async sql(text, values) {
      const client = new Client(server.url())
      await client.connect()
      try {
        return (await client.query<Record<string, unknown>>(text, values)).rows
      } finally {
        await client.end()
      }
    },
    stop: () => server.stop()
  }
}

/** Opens a backplane that need not reach its server. */
export function open(server: PostgresServer, options: Partial<PostgresBackplaneOptions> = {}): HistoryBackplane {
  const backplane = postgresBackplane({ connection: server.url(), ...options })
  atEnd(() => backplane.close())
  return backplane
}

async function join(server: PostgresServer, options?: Partial<PostgresBackplaneOptions>): Promise<HistoryBackplane> {
  const backplane = open(server, options)
  await until(() => backplane.health() === 'up')
  return backplane
}

export interface Heard {
  readonly text: string
  readonly position: Position | undefined
}

/** Subscribes, and collects what arrives. */
export async function hear(backplane: HistoryBackplane, topic: string): Promise<{ got: Heard[]; losses: string[] }> {
  const [got, losses]: [Heard[], string[]] = [[], []]
  await backplane.subscribe(
    topic,
    (message, _topic, position) => got.push({ text: message.toString(), position }),
    (name) => losses.push(name)
  )
  return { got, losses }
}
