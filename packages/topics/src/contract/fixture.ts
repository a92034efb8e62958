import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { HistoryBackplane, KeptLimits, Position } from '../backplane.ts'

/** A store of messages, fresh for each case. */
export interface BackplaneStore {
  /** Connects another node. The contract closes it. */
  node(): HistoryBackplane
  /** Cuts all nodes off, so that they lose their connections. What is kept stays. Cases that need it pass without it. */
  cut?(): unknown
  /** Takes back `cut`, and resolves when nodes can connect again. */
  restore?(): unknown
  /** Loses everything that is kept, for example by deleting it. Cases that need it pass without it. */
  forget?(): unknown
  /** Stops the store, after its nodes were closed. */
  stop(): unknown
}

interface Delivered {
  readonly text: string
  readonly message: Buffer
  readonly position: Position | undefined
}

/** What a node has been told about a topic. */
export interface Inbox {
  readonly got: Delivered[]
  /** How often messages may have been lost. */
  losses: number
  texts(): string[]
  offsets(): (number | undefined)[]
}

/** What each case gets. */
export interface Fixture extends Omit<BackplaneStore, 'node' | 'stop'> {
  /** A node that is connected. */
  node(): Promise<HistoryBackplane>
}

/** Enough for everything that a case appends. */
export const plenty: KeptLimits = { messages: 10_000, ms: 600_000, bytes: 100_000_000 }

const patienceMs = 20_000

/** Polls, because stores differ in what they report. */
export async function until(what: string, isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + patienceMs
  while (!(await isTrue())) {
    assert.ok(performance.now() < deadline, `expected within ${patienceMs} ms: ${what}`)
    await sleep(5)
  }
}

export async function listen(backplane: HistoryBackplane, topic: string): Promise<Inbox> {
  const inbox: Inbox = {
    got: [],
    losses: 0,
    texts: () => inbox.got.map(({ text }) => text),
    offsets: () => inbox.got.map(({ position }) => position?.offset)
  }
  await backplane.subscribe(
    topic,
    (message, name, position) => {
      assert.equal(name, topic)
      inbox.got.push({ text: message.toString(), message, position })
    },
    (name) => {
      assert.equal(name, topic)
      inbox.losses++
    }
  )
  return inbox
}

/** Runs a case on a store of its own. */
export async function withStore(
  start: () => BackplaneStore | Promise<BackplaneStore>,
  run: (fixture: Fixture) => Promise<void>
): Promise<void> {
  const store = await start()
  const nodes: HistoryBackplane[] = []
  try {
    await run({
      async node() {
        const node = store.node()
        nodes.push(node)
        await until('a node that is connected', () => node.health() === 'up')
        return node
      },
      ...(store.cut && { cut: () => store.cut?.() }),
      ...(store.restore && { restore: () => store.restore?.() }),
      ...(store.forget && { forget: () => store.forget?.() })
    })
  } finally {
    await Promise.all(nodes.map((node) => node.close()))
    await store.stop()
  }
}
