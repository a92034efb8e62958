import { Client } from 'pg'
import type { PostgresConnection } from './options.ts'

/** Delays before another attempt to connect, in milliseconds. The second one grows twofold up to the last. */
const firstRetryMs = 100
const lastRetryMs = 5_000

type Value = string | number | Buffer | null | undefined | readonly string[] | readonly Buffer[]

/** Asks the server. Several statements are possible without values. */
export type Query = (text: string, values?: readonly Value[]) => Promise<readonly Row[]>
export type Row = Readonly<Record<string, unknown>>

interface Events {
  /** Called on each new connection, before others use it. */
  prepare(query: Query): Promise<unknown>
  /** Called when it can be used. */
  onReady?(): void
  onNotification?(channel: string, payload: string): void
  onError(error: unknown): void
}

/** A connection that is opened again when it is lost. It answers one query at a time. */
export class Connection {
  readonly #config: PostgresConnection
  readonly #events: Events
  readonly #timeoutMs: number
  #isClosed = false
  #client: Client
  #ready: Client | undefined
  #turn: Promise<unknown> = Promise.resolve()
  /** The attempt to connect that is under way, or comes next. */
  #attempt = attempt()
  /** Ends the wait for that attempt. */
  #begin = (): void => {}

  /** @throws if `pg` does not understand the configuration */
  constructor(config: PostgresConnection, timeoutMs: number, events: Events) {
    this.#config = config
    this.#timeoutMs = timeoutMs
    this.#events = events
    this.#client = this.#create()
    void this.#stayConnected()
  }

  get isReady(): boolean {
    return this.#ready !== undefined
  }

  /** Resolves when it is connected. Rejects if the next attempt fails. */
  get ready(): Promise<void> {
    return this.isReady ? Promise.resolve() : this.#attempt.result
  }

  /** Rejects at once if it is not connected. */
  query(text: string, values?: readonly Value[]): Promise<readonly Row[]> {
    const isReady = this.isReady
    const answer = this.#turn.then(() => {
      if (!isReady || this.#ready === undefined) throw new Error('PostgreSQL is not connected.')
      return this.#ask(this.#ready, text, values)
    })
    this.#turn = answer.catch(() => {})
    return answer
  }

  /** Connects at once if it waits for its next attempt. */
  hurry(): void {
    this.#begin()
  }

  /** Ends this connection and opens another one. */
  drop(): void {
    this.#ready = undefined
    this.#client.connection.stream.destroy()
  }

  /** Disconnects at once. */
  close(): void {
    this.#isClosed = true
    this.#begin()
    this.#attempt.fail(new Error('The backplane is closed.'))
    this.drop()
  }

  #create(): Client {
    return new Client({ keepAlive: true, ...this.#config, connectionTimeoutMillis: this.#timeoutMs })
  }

  async #stayConnected(): Promise<void> {
    for (let failures = 0; !this.#isClosed; ) {
      const client = this.#client
      if (await this.#use(client)) failures = 0
      this.#ready = undefined
      client.connection.stream.destroy()
      const delay = Math.min(firstRetryMs * 2 ** failures++, lastRetryMs) * (0.5 + Math.random() / 2)
      await this.#wait(delay)
      if (!this.#isClosed) this.#client = this.#create()
    }
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms).unref()
      this.#begin = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  /** Resolves at the end of a connection. @returns whether it could be used */
  async #use(client: Client): Promise<boolean> {
    const { onError, onNotification, onReady, prepare } = this.#events
    const report = (error: unknown): void => {
      if (!this.#isClosed) onError(error)
    }
    const ended = new Promise((resolve) => client.on('end', () => resolve(undefined)))
    client.on('error', report)
    client.on('notification', ({ channel, payload = '' }) => onNotification?.(channel, payload))
    try {
      await client.connect()
      await prepare((text, values) => this.#ask(client, text, values))
    } catch (error) {
      report(error)
      this.#attempt.fail(error)
      this.#attempt = attempt()
      return false
    }
    if (this.#isClosed) return true
    this.#ready = client
    this.#attempt.succeed()
    this.#attempt = attempt()
    onReady?.()
    await ended
    return true
  }

  async #ask(client: Client, text: string, values?: readonly Value[]): Promise<readonly Row[]> {
    let isLate = false
    const timer = setTimeout(() => {
      isLate = true
      client.connection.stream.destroy()
    }, this.#timeoutMs)
    try {
      const { rows } = await client.query<Row>(text, values as unknown[] | undefined)
      return rows
    } catch (error) {
      // Late, it is over, even if `pg` has not noticed yet. Where a table is missing, preparing creates it.
      if ((isLate || isMissing(error)) && this.#ready === client) this.drop()
      throw isLate ? new Error(`PostgreSQL has not answered in ${this.#timeoutMs} ms.`) : error
    } finally {
      clearTimeout(timer)
    }
  }
}

interface Attempt {
  readonly result: Promise<void>
  succeed(): void
  fail(error: unknown): void
}

function attempt(): Attempt {
  let [succeed, fail]: [Attempt['succeed'], Attempt['fail']] = [() => {}, () => {}]
  const result = new Promise<void>((resolve, reject) => {
    ;[succeed, fail] = [resolve, reject]
  })
  // Nobody may wait for it.
  result.catch(() => {})
  return { result, succeed, fail }
}

/** Whether a schema, table or function is missing. https://www.postgresql.org/docs/current/errcodes-appendix.html */
const isMissing = (error: unknown): boolean =>
  ['3F000', '42P01', '42883'].includes((error as { code?: string }).code ?? '')
