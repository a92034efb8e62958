import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from './client.ts'
import { closeFrame, type Dialect } from './dialect.ts'
import { held, openAndStay } from './held.ts'

export interface Churn {
  /** Number of clients that leave each second. As many come. */
  readonly perSecond: number
  readonly seconds: number
}

/** The time over which one share of them is spread. */
const sliceMs = 50

/** Replaces held connections by new ones, chosen at random. Every second one is reset, the others send a close frame. */
export async function churn(port: number, dialect: Dialect, { perSecond, seconds }: Churn): Promise<void> {
  const started = performance.now()
  const total = perSecond * seconds
  const going: Promise<void>[] = []
  for (let replaced = 0; replaced < total; ) {
    await sleep(sliceMs)
    const elapsedMs = performance.now() - started
    const due = Math.min(total, Math.floor((perSecond * elapsedMs) / 1_000))
    for (; replaced < due; replaced++) {
      going.push(leave(takeOne(), replaced % 2 === 0), openAndStay(port, dialect, { count: 1, atOnce: 1 }))
    }
  }
  await Promise.all(going)
}

/** Takes any of the held connections from their list. */
function takeOne(): Client {
  const index = Math.floor(Math.random() * held.length)
  const [taken] = held.splice(index, 1)
  if (taken === undefined) throw new Error('There is no open connection.')
  return taken
}

async function leave(client: Client, byReset: boolean): Promise<void> {
  client.receive = () => {}
  if (byReset) client.reset()
  else client.write(closeFrame)
  await client.closed
}
