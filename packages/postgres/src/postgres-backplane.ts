import { createHash, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { HistoryBackplane, Kept, KeptLimits, Position } from '@oneport/topics'
import { Connection, type Row } from './connection.ts'
import { Context } from './context.ts'
import { Inbox } from './inbox.ts'
import { channelOf, parseNotification } from './notification.ts'
import { type PostgresBackplaneOptions, resolveOptions } from './options.ts'
import { Outbox, type Outgoing } from './outbox.ts'
import { beginSession, greet } from './session.ts'
import { tell } from './told.ts'

/** Time that pending messages have when the backplane is closed, in milliseconds. */
const closeMs = 1_000

/** How often to check whether the server still answers where this node listens, in milliseconds. */
const checkMs = 10_000

/** How often to remove what is too old, in milliseconds. */
const sweepMs = 60_000

/** Longest name of a topic, in bytes. It has to fit into an index and into a notification. */
const longestTopic = 2_048

/** Names are UTF-8, where every lone surrogate would become the same replacement character. */
const loneSurrogate = /\p{Surrogate}/u

/**
 * Creates a backplane on PostgreSQL 13 or later, which keeps messages in tables and announces them with `NOTIFY`. It
 * opens three connections at once, and reconnects when they are lost. A message has been committed when `append`
 * resolves.
 * @throws TypeError for an invalid option
 */
export function postgresBackplane(options: PostgresBackplaneOptions): HistoryBackplane {
  const { connection, maxPendingBytes, onError, schema, timeoutMs, ...session } = resolveOptions(options)
  const node = randomUUID()
  // Connections and timers are shared, so they must not run in the AsyncLocalStorage context of one publisher.
  const context = new Context()
  const inbox = new Inbox()
  const servers = new Map<Connection, string>()
  /** The number of the last batch with history, and of the last one that was acknowledged. */
  const batches = { last: 0, acknowledged: 0 }
  let isClosed = false

  const open = (events: {
    listens?: boolean
    onReady?(): void
    onNotification?(channel: string, payload: string): void
  }): Connection => {
    const opened: Connection = new Connection(connection, timeoutMs, {
      ...events,
      async prepare(query) {
        await beginSession(query, { schema, timeoutMs, ...session })
        const { server, isOlder } = await greet(query, schema, node, batches.acknowledged)
        servers.set(opened, server)
        if (isOlder) inbox.lose()
        const channels = new Set(events.listens ? inbox.topics.map((topic) => channelOf(schema, topic)) : [])
        if (channels.size > 0) await query([...channels].map((channel) => `listen ${channel}`).join(';'))
      },
      onReady() {
        // After a failover, others may still be connected to the old server.
        for (const [other, server] of servers) if (server !== servers.get(opened)) other.drop()
        for (const other of connections) other.hurry()
        events.onReady?.()
      },
      onError(error) {
        if (!isClosed) context.runInAsyncScope(tell, undefined, onError, error)
      }
    })
    return opened
  }

  const connections = context.runInAsyncScope(() => [
    open({
      listens: true,
      onReady: () => inbox.lose(),
      onNotification: (channel, payload) => receive(channel, payload)
    }),
    open({}),
    open({})
  ]) as [Connection, Connection, Connection]
  const [listener, writer, reader] = connections

  const outbox = new Outbox(maxPendingBytes, async (batch) => {
    const isKept = batch.some(({ limits }) => limits !== undefined)
    if (isKept) batches.last++
    const number = batches.last
    const contents = Buffer.concat(batch.map(({ message }) => message))
    const entries = JSON.stringify(batch.map(entryOf))
    const rows = await writer.query(`select * from ${schema}.send_v1($1, $2, $3, $4)`, [
      node,
      number,
      contents,
      entries
    ])
    if (isKept) batches.acknowledged = number
    return rows
  })

  function receive(channel: string, payload: string): void {
    const notification = parseNotification(payload)
    if (notification === undefined) return
    const { topic, position, message, reference } = notification
    if (!inbox.has(topic) || channelOf(schema, topic) !== channel) return
    const read = async (): Promise<Buffer | undefined> => {
      const [row] =
        position === undefined
          ? await reader.query(`select message from ${schema}.large where id = $1`, [reference])
          : await reader.query(
              `select m.message from ${schema}.messages m join ${schema}.topics t on t.id = m.topic_id
                where t.topic = $1 and t.epoch = $2 and m.number = $3`,
              [Buffer.from(topic), position.epoch, position.offset]
            )
      return row?.message as Buffer | undefined
    }
    inbox.take(topic, { position, message, read })
  }

  const check = (topic: string): Buffer => {
    if (isClosed) throw new Error('The backplane is closed.')
    if (loneSurrogate.test(topic)) throw new Error('The topic has a lone surrogate, so it cannot be written as UTF-8.')
    const bytes = Buffer.from(topic)
    if (bytes.length > longestTopic) throw new Error(`The topic has more than ${longestTopic} bytes.`)
    return bytes
  }

  const send = async (topic: string, message: Buffer, limits?: KeptLimits, name?: string): Promise<unknown> => {
    const bytes = check(topic)
    if (!writer.isReady) throw new Error('PostgreSQL is not connected.')
    const outgoing: Outgoing = {
      channel: channelOf(schema, topic),
      topic: bytes.toString('base64'),
      message,
      limits,
      // Of one length, to fit into an index.
      name: name === undefined ? undefined : createHash('sha256').update(name).digest('base64')
    }
    return context.runInAsyncScope(() => outbox.add(outgoing))
  }

  const timers = context.runInAsyncScope(() => [
    // A connection that does not answer is closed and opened again.
    setInterval(() => void listener.query('select').catch(() => {}), checkMs).unref(),
    setInterval(() => {
      const used = inbox.topics.map((topic) => Buffer.from(topic))
      reader.query(`select ${schema}.sweep_v1($1, $2)`, [node, used]).catch(() => {})
    }, sweepMs).unref()
  ])

  return {
    publish: (topic, message) => send(topic, message),

    append: (topic, message, limits, name) => send(topic, message, limits, name) as Promise<Position>,

    async read(topic, after, limits) {
      const bytes = check(topic)
      const seen = inbox.seen(topic)
      await reader.ready
      const rows = await reader.query(`select * from ${schema}.read_v1($1, $2, $3, $4, $5, $6, $7, $8)`, [
        bytes,
        after?.epoch,
        after?.offset,
        seen?.epoch,
        seen?.offset,
        ...numbersOf(limits)
      ])
      return keptOf(rows)
    },

    async subscribe(topic, receive, lost = () => {}) {
      check(topic)
      // Messages may arrive before the answer.
      inbox.add(topic, receive, lost)
      try {
        await listener.query(`listen ${channelOf(schema, topic)}`)
      } catch (error) {
        inbox.remove(topic)
        throw error
      }
    },

    async unsubscribe(topic) {
      check(topic)
      inbox.remove(topic)
      const channel = channelOf(schema, topic)
      if (inbox.topics.some((other) => channelOf(schema, other) === channel)) return
      await listener.query(`unlisten ${channel}`)
    },

    health() {
      if (isClosed || !listener.isReady) return 'down'
      return writer.isReady && reader.isReady ? 'up' : 'partial'
    },

    async close() {
      if (isClosed) return
      isClosed = true
      for (const timer of timers) clearInterval(timer)
      await Promise.race([outbox.empty(), sleep(closeMs, undefined, { ref: false })])
      for (const opened of connections) opened.close()
    }
  }
}

/** As whole numbers that fit into a `bigint`. */
const numbersOf = ({ messages, ms, bytes }: KeptLimits): number[] =>
  [messages, ms, bytes].map((limit) => Math.min(Math.floor(limit), Number.MAX_SAFE_INTEGER))

function entryOf({ channel, limits, message, name, topic }: Outgoing): object {
  const [messages, ms, bytes] = limits === undefined ? [] : numbersOf(limits)
  return { channel, topic, name, size: message.length, messages, ms, bytes }
}

/** The newest messages without a hole. */
function keptOf(rows: readonly Row[]): Kept {
  const [first] = rows
  if (first === undefined) throw new Error('PostgreSQL has not answered a read.')
  const last = Number(first.last)
  const messages: Buffer[] = []
  for (const { message, number } of rows.toReversed()) {
    if (!Buffer.isBuffer(message) || Number(number) !== last - messages.length) break
    messages.push(message)
  }
  return { epoch: String(first.epoch), last, messages: messages.reverse() }
}
