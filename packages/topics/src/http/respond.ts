import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { tryAgainLater, unauthorized } from '../close-code.ts'
import { Malformed, readId, readTopic } from '../serve/requests.ts'
import type { Session } from '../serve/session.ts'
import { jsonOf } from './answer-text.ts'
import { readBody, TooLarge } from './body.ts'
import { EventStream, retry } from './event-stream.ts'
import { channelOf, type Http, type RespondClient } from './http.ts'
import { Inbox } from './inbox.ts'
import { Positions } from './positions.ts'
import { parametersOf, readQuery } from './query.ts'
import type { HttpKind } from './reports.ts'

/** A response to a request, which the application sends. */
export interface TopicsResponse {
  /** The status. */
  readonly status: number
  /** The header fields. */
  readonly headers: Readonly<Record<string, string>>
  /** The body: text, or a stream of Server-Sent Events that lasts until the client leaves. */
  readonly body: string | Readable
}

/** How long a GET waits for a message, in milliseconds. */
const pollMs = 25_000

const json = (status: number, value: object, headers: Record<string, string> = {}): TopicsResponse => ({
  status,
  headers: {
    'Content-Type': 'application/json; charset=utf-8',
    // The body may quote the request.
    'X-Content-Type-Options': 'nosniff',
    'Cache-Control': 'no-store',
    ...headers
  },
  body: `${JSON.stringify(value)}\n`
})

const refuse = (status: number, message: string, headers?: Record<string, string>): TopicsResponse =>
  json(status, { message }, headers)

/** Seconds after which to come back, at random, so that not all clients come at once. */
const retryAfter = (): Record<string, string> => ({ 'Retry-After': String(1 + Math.floor(Math.random() * 5)) })

/** A request, and what is needed to answer it. */
interface Asked {
  readonly http: Http
  readonly req: IncomingMessage
  readonly client: RespondClient
  /** The body, if middleware has read it. */
  readonly body: unknown
  readonly open: Open
}

/** Answers a request. Rejects only if something is wrong with the server. */
export async function respond(asked: Asked): Promise<TopicsResponse> {
  const { http, req } = asked
  const kind = kindOf(req)
  const response = await answerTo(kind, asked)
  // A client that has left gets no answer.
  if (response.status >= 400 && !channelOf(req).destroyed) http.reports.refused(kind, response.status, req)
  return response
}

/** What a request asks for; undefined if its method is wrong. */
function kindOf({ method, headers }: IncomingMessage): HttpKind | undefined {
  if (method === 'POST') return 'publish'
  if (method !== 'GET') return undefined
  return String(headers.accept).toLowerCase().includes('text/event-stream') ? 'stream' : 'poll'
}

async function answerTo(kind: HttpKind | undefined, asked: Asked): Promise<TopicsResponse> {
  try {
    switch (kind) {
      case 'stream':
        return stream(asked)
      case 'poll':
        return await poll(asked)
      case 'publish':
        return await publish(asked)
      default:
        return refuse(405, 'Expected GET or POST.', { Allow: 'GET, POST' })
    }
  } catch (error) {
    if (error instanceof Malformed) return refuse(400, error.message)
    if (error instanceof TooLarge) return refuse(413, error.message)
    throw error
  }
}

/** Begins the session of what stands for a socket. */
export type Open = (socket: EventStream | Inbox) => Session

function stream({ http, req, client, open }: Asked): TopicsResponse {
  const { topics, since, presence } = readQuery(req)
  const refusal = http.refusalOf(req, client)
  // An `EventSource` gives up for ever after any status but 200.
  if (refusal !== undefined) {
    http.reports.refused('stream', refusal, req)
    return { status: 200, headers: streamFields(req), body: retry() }
  }
  const body = new EventStream(new Positions(topics, since), (header) => {
    if (presence && header.startsWith('subscribed ')) session.watch(header.split(' ').slice(4).join(' '))
  })
  const session = open(body)
  http.add(body, 'stream', req, client)
  // Sends the head at once, also through middleware that waits for a first byte.
  body.beat()
  for (const [index, topic] of topics.entries()) session.subscribe(topic, since[index])
  return { status: 200, headers: streamFields(req), body }
}

/** A server that closes would keep the connection for further requests, for some seconds. HTTP/2 has no such field. */
const connectionOf = ({ httpVersionMajor }: IncomingMessage): Record<string, string> =>
  httpVersionMajor === 1 ? { Connection: 'close' } : {}

const streamFields = (req: IncomingMessage): Record<string, string> => ({
  'Content-Type': 'text/event-stream; charset=utf-8',
  'X-Content-Type-Options': 'nosniff',
  // `no-transform` keeps most compression middleware away, and the last one the buffers of nginx.
  'Cache-Control': 'no-store, no-transform',
  'X-Accel-Buffering': 'no',
  ...connectionOf(req)
})

/** Answers as soon as there is something to tell, or after 25 s. */
async function poll({ http, req, client, open }: Asked): Promise<TopicsResponse> {
  const { topics, since, presence } = readQuery(req)
  const refusal = http.refusalOf(req, client)
  if (refusal !== undefined) return refusedWith(refusal, req)
  const positions = new Positions(topics, since)
  let seen = 0
  let undecided = topics.length
  let isDue = false
  const inbox: Inbox = new Inbox(() => {
    while (seen < inbox.answers.length) {
      const header = inbox.answers[seen++]?.header ?? ''
      positions.take(header)
      const [kind, epoch, , beginning, ...name] = header.split(' ')
      if (kind === 'subscribed' || kind === 'error') undecided--
      // Who is present is no news to a client that asks again: it learns that with the rest.
      if (kind === 'present') continue
      if (kind !== 'subscribed') {
        isDue = true
        continue
      }
      const topic = name.join(' ')
      // A client that has not said from where to go on has to learn where it is.
      const isNew = epoch !== '-' && typeof since[topics.indexOf(topic)] !== 'object'
      if (isNew || beginning === 'gap') isDue = true
      // The answer to it is taken before this returns.
      if (presence) session.watch(topic)
    }
    return isDue && undecided === 0
  })
  const session = open(inbox)
  session.isPoll = true
  http.add(inbox, 'poll', req, client)
  const timer = setTimeout(() => inbox.terminate(), pollMs)
  for (const [index, topic] of topics.entries()) session.subscribe(topic, since[index])
  await inbox.ready
  clearTimeout(timer)
  inbox.terminate()
  // What came before a message without room is told.
  const isFull = inbox.code === tryAgainLater && isDue
  if (inbox.code !== undefined && !isFull) return refusedWith(inbox.code === unauthorized ? 401 : 503, req)
  return json(200, { since: String(positions), answers: inbox.answers.map(jsonOf) })
}

function refusedWith(status: number, req: IncomingMessage): TopicsResponse {
  if (status === 401) return refuse(401, 'The login has ended.')
  if (status === 429) return refuse(429, 'Too many requests from your address. Try again later.', retryAfter())
  return refuse(503, 'The server is busy or shutting down. Try again later.', { ...retryAfter(), ...connectionOf(req) })
}

/** Publishes the body of a request. The client is counted before its body is read, which takes memory and time. */
async function publish({ http, req, client, body, open }: Asked): Promise<TopicsResponse> {
  const parameters = parametersOf(req.url ?? '')
  const topic = readTopic(parameters.get('topic') ?? '')
  const id = readId(parameters.get('id') ?? '')
  const refusal = http.refusalOf(req, client)
  if (refusal !== undefined) return refusedWith(refusal, req)
  const inbox = new Inbox(() => true)
  const session = open(inbox)
  http.add(inbox, 'publish', req, client)
  client.signal?.addEventListener('abort', () => {
    session.isRevoked ||= inbox.code === unauthorized
  })
  try {
    const { payload, isBinary } = await readBody(req, body, http.maxBodyBytes)
    // Its login may have ended meanwhile.
    if (inbox.code === undefined) session.publish({ kind: 'publish', topic, id, payload }, isBinary)
    await inbox.ready
  } finally {
    inbox.terminate()
  }
  if (inbox.code !== undefined) return refusedWith(inbox.code === unauthorized ? 401 : 503, req)
  const [kind, second = '', third = ''] = inbox.answers[0]?.header.split(' ') ?? []
  if (kind === 'published') return json(200, { offset: third === '-' ? null : Number(third) })
  if (second === 'forbidden') return refuse(403, 'You may not publish to this topic.')
  return refuse(503, 'The message was not published. Try again later.', retryAfter())
}
