import { watchNetwork } from '../network.ts'
import type { Asked } from '../options.ts'
import { addressOf } from './address.ts'
import { type Answer, readAnswer } from './answer.ts'
import { eventStream } from './event-stream.ts'
import type { Listener, Outgoing, Wire } from './wire.ts'

export interface HttpOptions {
  readonly kind: 'stream' | 'poll'
  readonly url: Asked<string | URL>
  readonly token: Asked<string | undefined>
  readonly fetch: typeof globalThis.fetch
  /** Called when a proxy keeps back what is streamed, and polls take its place. */
  readonly onPoll: () => void
}

/** How long a response may be silent, in milliseconds. Servers answer polls and send comments every 25 seconds. */
const silenceMs = 40_000

/** How long the first bytes of a stream may take, in milliseconds. Servers send some at once. */
const firstMs = 10_000

/** After how many milliseconds a poll counts as accepted. */
const graceMs = 2_000

/** How long to wait, at most, before the next poll, in milliseconds. */
const pauseMs = 200

/** Delays before a request is repeated, in milliseconds. */
const [shortestMs, longestMs] = [500, 15_000]

/** The server answers, and will not answer otherwise. */
class Refused extends Error {
  readonly status: number

  constructor(status: number) {
    super(`The server answered with the status ${status}.`)
    this.status = status
  }
}

/** A delay that the server asks for. */
class Later extends Error {
  readonly ms: number

  constructor(ms: number) {
    super()
    this.ms = ms
  }
}

/** The topics over plain HTTP: as a stream of events, or in polls. */
export function httpWire({ kind, url, token, fetch, onPoll }: HttpOptions, listener: Listener): Wire {
  const posts: Outgoing[] = []
  const running = new Set<AbortController>()
  let isStream = kind === 'stream'
  /** Whether nothing of the stream has arrived. */
  let isHeld = false
  let isClosed = false
  /** Whether the request that is on its way does not ask for what is wanted by now. */
  let isDue = false
  let failures = 0
  let given: string | undefined
  let round: AbortController | undefined
  const pauses = new Set<() => void>()
  const life = new AbortController()

  const sleep = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer)
        pauses.delete(end)
        resolve()
      }
      const timer = setTimeout(end, ms)
      pauses.add(end)
    })
  const wake = (): void => {
    for (const end of pauses) end()
  }
  const delayOf = (error: unknown): number => {
    const backoff = Math.random() * Math.min(longestMs, shortestMs * 2 ** failures)
    return Math.max(backoff, error instanceof Later ? Math.min(error.ms, longestMs) : 0)
  }

  /** Does something that can be aborted, and is, when it has been silent for too long. */
  const attempt = async <T>(
    work: (controller: AbortController, heard: (ms: number) => void) => Promise<T>
  ): Promise<T> => {
    const controller = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    const heard = (ms: number): void => {
      clearTimeout(timer)
      timer = setTimeout(() => controller.abort(), ms)
    }
    running.add(controller)
    heard(silenceMs)
    try {
      return await work(controller, heard)
    } finally {
      clearTimeout(timer)
      controller.abort()
      running.delete(controller)
    }
  }

  const request = async (
    query: readonly (readonly string[])[],
    init: Omit<RequestInit, 'signal'> & { signal: AbortSignal },
    isAgain = false
  ): Promise<Response> => {
    const ask = async <Value>(asked: Asked<Value>): Promise<Value> =>
      asked instanceof Function ? asked({ attempt: failures, refused: isAgain, signal: init.signal }) : asked
    const address = addressOf(await ask(url), 'http')
    for (const [name = '', value = ''] of query) address.searchParams.append(name, value)
    given ??= await ask(token)
    const headers = { ...init.headers, ...(given && { authorization: `Bearer ${given}` }) }
    const response = await fetch(address, { credentials: 'include', cache: 'no-store', ...init, headers })
    const { ok, status } = response
    if (ok) return response
    if (status === 401 && given !== undefined && !isAgain) {
      given = undefined
      return request(query, init, true)
    }
    if (status < 500 && status !== 408 && status !== 429) throw new Refused(status)
    throw new Later((Number(response.headers.get('retry-after')) || 0) * 1_000)
  }

  const hear = (data: string | ArrayBuffer): void => {
    listener.hear(wire, readAnswer(data))
    failures = 0
  }

  const poll = async (response: Response): Promise<void> => {
    const { answers } = (await response.json()) as { answers: (string | { base64: string })[] }
    if (isDue) return
    listener.up(wire)
    for (const answer of answers) hear(typeof answer === 'string' ? answer : bytesOf(answer.base64))
    // What is published meanwhile comes with the next answer.
    if (!isDue) await sleep(Math.random() * pauseMs)
  }

  const stream = async ({ body }: Response, heard: (ms: number) => void): Promise<void> => {
    let retryMs = Math.random() * shortestMs
    const read = eventStream((type, data) => {
      if (isDue) return
      if (type === 'retry') retryMs = Number(data)
      else if (type === 'json') hear(JSON.parse(data) as string)
      else hear(type === 'base64' ? bytesOf(data) : data)
    })
    const reader = (body as ReadableStream<BufferSource>).pipeThrough(new TextDecoderStream()).getReader()
    for (;;) {
      const { done, value } = await reader.read()
      if (done) throw new Later(retryMs)
      heard(silenceMs)
      if (isHeld) listener.up(wire)
      isHeld = false
      read(value)
    }
  }

  /** One request for all topics. */
  const visit = (): Promise<void> =>
    attempt(async (controller, heard) => {
      round = controller
      isDue = false
      const asked = listener.ask(wire)
      if (asked.length === 0) return sleep(silenceMs)
      const query = asked.map(([topic]) => ['topic', topic])
      query.push(['since', asked.map(([, since]) => since).join()])
      if (listener.isWatching) query.push(['presence'])
      const { signal } = controller
      const accept = isStream ? 'text/event-stream' : 'application/json'
      isHeld = isStream
      if (isStream) heard(firstMs)
      // A poll that is not refused is likely to work: the answer may take its time.
      const timer = isStream ? undefined : setTimeout(() => listener.up(wire), graceMs)
      try {
        const response = await request(query, { signal, headers: { accept } })
        await (isStream ? stream(response, heard) : poll(response))
      } finally {
        clearTimeout(timer)
      }
    })

  const run = async (): Promise<void> => {
    // Requests that are made in the same turn go together.
    await undefined
    while (!isClosed) {
      try {
        await visit()
      } catch (error) {
        if (isClosed || isDue) continue
        if (error instanceof Refused) return listener.fail(wire, error)
        if (isHeld && (error as Error).name === 'AbortError') {
          isStream = false
          onPoll()
          continue
        }
        listener.down(wire)
        failures++
        await sleep(delayOf(error))
      }
    }
  }

  /** Posts messages one after the other, so that they keep their order. */
  const postAll = async (): Promise<void> => {
    for (let message = posts[0]; message !== undefined && !isClosed; message = posts[0]) {
      const { id, topic, data } = message
      let answer: Pick<Answer, 'kind' | 'fields'> | undefined
      try {
        if (!message.isOver) {
          message.begin()
          const type = typeof data === 'string' ? 'text/plain;charset=utf-8' : 'application/octet-stream'
          const { offset } = await attempt(async ({ signal }) => {
            const query = [
              ['topic', topic],
              ['id', id]
            ]
            const response = await request(query, {
              method: 'POST',
              body: data,
              signal,
              headers: { 'content-type': type }
            })
            return (await response.json()) as { offset: number | null }
          })
          answer = { kind: 'published', fields: [id, String(offset ?? '-')] }
        }
      } catch (error) {
        if (!(error instanceof Refused)) {
          await sleep(delayOf(error))
          continue
        }
        answer = { kind: 'error', fields: [error.status === 413 ? 'limit' : 'forbidden', 'publish', id] }
      }
      posts.shift()
      if (answer !== undefined && !isClosed) listener.hear(wire, { topic, payload: '', ...answer })
    }
  }

  /** Gives up what is on its way, and waits no longer. */
  const drop = (): void => {
    for (const controller of running) controller.abort()
    wake()
  }

  const restart = (): void => {
    if (isDue) return
    isDue = true
    queueMicrotask(() => {
      if (isDue) round?.abort()
      wake()
    })
  }

  const wire: Wire = {
    subscribe: restart,
    unsubscribe: restart,
    watch: restart,
    publish(message) {
      if (posts.includes(message)) return
      if (posts.push(message) === 1) void postAll()
    },
    again: restart,
    close() {
      isClosed = true
      life.abort()
      drop()
    }
  }
  watchNetwork(({ type }) => {
    // What was on its way before is likely to be dead, and nobody would tell.
    if (type !== 'online' && type !== 'resume') return
    isDue = true
    failures = 0
    drop()
  }, life.signal)
  void run()
  return wire
}

const bytesOf = (base64: string): ArrayBuffer => Uint8Array.from(atob(base64), (char) => char.charCodeAt(0)).buffer
