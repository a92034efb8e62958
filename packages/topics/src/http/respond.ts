import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { Malformed, readId, readTopic } from '../serve/requests.ts'
import type { Session } from '../serve/session.ts'
import { jsonOf } from './answer-text.ts'
import { readBody, TooLarge } from './body.ts'
import { EventStream, retry } from './event-stream.ts'
import type { Http } from './http.ts'
import { Inbox } from './inbox.ts'
import { Positions } from './positions.ts'
import { parametersOf, readQuery } from './query.ts'

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
const busy = (): TopicsResponse => refuse(503, 'Too many clients. Try again later.', retryAfter())

/** Answers a request. Rejects only if something is wrong with the server. */
export async function respond(http: Http, req: IncomingMessage, body: unknown, open: Open): Promise<TopicsResponse> {
  try {
    switch (req.method) {
      case 'GET':
        return String(req.headers.accept).includes('text/event-stream')
          ? stream(http, req, open)
          : await poll(http, req, open)
      case 'POST':
        return await publish(http, req, body, open)
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

function stream(http: Http, req: IncomingMessage, open: Open): TopicsResponse {
  const { topics, since, presence } = readQuery(req)
  // An `EventSource` gives up for ever after any status but 200.
  if (http.isFull) return { status: 200, headers: streamFields(req), body: retry() }
  const body = new EventStream(new Positions(topics, since), (header) => {
    if (presence && header.startsWith('subscribed ')) session.watch(header.split(' ').slice(4).join(' '))
  })
  const session = open(body)
  http.add(body, req)
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
  // `no-transform` keeps compression middleware away, and the last one the buffers of nginx.
  'Cache-Control': 'no-store, no-transform',
  'X-Accel-Buffering': 'no',
  ...connectionOf(req)
})

/** Answers as soon as there is something to tell, or after 25 s. */
async function poll(http: Http, req: IncomingMessage, open: Open): Promise<TopicsResponse> {
  const { topics, since, presence } = readQuery(req)
  if (http.isFull) return busy()
  const positions = new Positions(topics, since)
  let seen = 0
  let undecided = topics.length
  let isDue = false
  const inbox: Inbox = new Inbox(() => {
    for (; seen < inbox.answers.length; seen++) {
      const header = inbox.answers[seen]?.header ?? ''
      positions.take(header)
      const [kind, epoch, , beginning, ...name] = header.split(' ')
      if (kind === 'subscribed' || kind === 'error') undecided--
      if (kind !== 'subscribed') {
        isDue = true
        continue
      }
      const topic = name.join(' ')
      if (presence) session.watch(topic)
      // A client that has not said from where to go on has to learn where it is.
      const isNew = epoch !== '-' && typeof since[topics.indexOf(topic)] !== 'object'
      if (isNew || beginning === 'gap') isDue = true
    }
    return isDue && undecided === 0
  })
  const session = open(inbox)
  http.add(inbox, req)
  const timer = setTimeout(() => inbox.terminate(), pollMs)
  for (const [index, topic] of topics.entries()) session.subscribe(topic, since[index])
  await inbox.ready
  clearTimeout(timer)
  inbox.terminate()
  if (inbox.code !== undefined) return closedWith(inbox.code, req)
  return json(200, { since: String(positions), answers: inbox.answers.map(jsonOf) })
}

const closedWith = (code: number, req: IncomingMessage): TopicsResponse =>
  code === 4401
    ? refuse(401, 'The login has ended.')
    : refuse(503, 'The server is shutting down.', { ...retryAfter(), ...connectionOf(req) })

/** Publishes the body of a request. */
async function publish(http: Http, req: IncomingMessage, body: unknown, open: Open): Promise<TopicsResponse> {
  const parameters = parametersOf(req.url ?? '')
  const topic = readTopic(parameters.get('topic') ?? '')
  const id = readId(parameters.get('id') ?? '')
  const { payload, isBinary } = await readBody(req, body, http.maxBodyBytes)
  if (http.isFull) return busy()
  const inbox = new Inbox(() => true)
  const session = open(inbox)
  http.add(inbox, req)
  session.publish({ kind: 'publish', topic, id, payload }, isBinary)
  await inbox.ready
  inbox.terminate()
  if (inbox.code !== undefined) return closedWith(inbox.code, req)
  const [kind, second = '', third = ''] = inbox.answers[0]?.header.split(' ') ?? []
  if (kind === 'published') return json(200, { offset: third === '-' ? null : Number(third) })
  if (second === 'forbidden') return refuse(403, 'You may not publish to this topic.')
  return refuse(503, 'The message was not published. Try again later.', retryAfter())
}
