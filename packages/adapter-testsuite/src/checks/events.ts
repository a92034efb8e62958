import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type ClientHttp2Stream, constants } from 'node:http2'
import type { Socket } from 'node:net'
import type { Fixture } from '../fixture.ts'
import { beginConnect } from '../parts/http2-client.ts'
import { handshake, headArrived, reset } from '../parts/raw-client.ts'
import { read } from '../parts/received.ts'
import { signal } from '../parts/signal.ts'
import type { Check } from './check.ts'

const names = ['aborted', 'error', 'end', 'close', 'finish'] as const

/** Records the events of the next request and its response, in order, from the moment middleware gets them. */
function recordNext({ onRequest }: Fixture) {
  const events: string[] = []
  const [asked, requestClosed, responseClosed] = [signal(), signal(), signal()]
  let isFirst = true
  onRequest((req: IncomingMessage, res: ServerResponse) => {
    if (!isFirst) return
    isFirst = false
    for (const name of names) {
      req.on(name, () => events.push(`req ${name}`))
      res.on(name, () => events.push(`res ${name}`))
    }
    req.on('close', () => requestClosed.give())
    res.on('close', () => responseClosed.give())
    asked.give()
  })
  return { events, asked: asked.given, requestClosed: requestClosed.given, responseClosed: responseClosed.given }
}

/**
 * Whether an answer waits for the end of its request is up to the framework, so only the order within each emitter
 * counts.
 */
const byEmitter = (one: string, other: string): number => one.slice(0, 3).localeCompare(other.slice(0, 3))

type Outcome<Sent> = [name: string, path: string, page: string, visit: (sent: Sent, fixture: Fixture) => unknown]

/** How a client sends an ordinary GET or a handshake. */
interface Sending<Sent> {
  get(fixture: Fixture, path: string): Promise<Sent>
  handshake(fixture: Fixture, path: string): Promise<Sent>
  /** Ends the exchange if it is still open. */
  end(sent: Sent): unknown
  /**
   * Whether a request closes together with its response. Over HTTP/2 it closes with its stream, and the order is
   * undefined.
   */
  readonly closesWithResponse: boolean
}

/**
 * Listeners on a request or a response, such as loggers and monitors, get the same events for a handshake as for a GET.
 */
function compare<Sent>(outcomes: readonly Outcome<Sent>[], sending: Sending<Sent>): Check[] {
  const eventsOf = async (fixture: Fixture, send: Sending<Sent>['get'], [, , , visit]: Outcome<Sent>, path: string) => {
    const { events, asked, requestClosed, responseClosed } = recordNext(fixture)
    const sent = await send(fixture, path)
    // Newer versions of Node send nothing for a client that leaves at once.
    await asked
    await visit(sent, fixture)
    await responseClosed
    if (sending.closesWithResponse) await requestClosed
    await sending.end(sent)
    await requestClosed
    // Late events would be emitted by now.
    await new Promise(setImmediate)
    return sending.closesWithResponse ? events.sort(byEmitter) : events.sort()
  }
  return outcomes.map((outcome) => {
    const [name, path, page] = outcome
    return [
      `emits the same events for a handshake that is ${name} as for an ordinary GET`,
      async (fixture) => {
        const expected = await eventsOf(fixture, sending.get, outcome, page)
        assert.deepEqual(await eventsOf(fixture, sending.handshake, outcome, path), expected)
      }
    ]
  })
}

/** A client that leaves while middleware waits. */
const leaving =
  <Sent>(leave: (sent: Sent) => unknown) =>
  async (sent: Sent, { gate }: Fixture): Promise<void> => {
    await gate.arrived
    await leave(sent)
  }

const write = async ({ open }: Fixture, bytes: string): Promise<Socket> => {
  const raw = await open()
  raw.write(bytes)
  return raw
}

export const emittingOnHttp1: readonly Check[] = compare<Socket>(
  [
    ['accepted', '/chat', '/plain', (raw) => read(raw, headArrived)],
    ['refused', '/guarded', '/plain-guarded', (raw) => read(raw)],
    ['abandoned by an end', '/gate', '/plain-gate', leaving((raw) => raw.destroy())],
    ['abandoned by a half-close', '/gate', '/plain-gate', leaving((raw) => raw.resume().end())],
    ['abandoned by a reset', '/gate', '/plain-gate', leaving(reset)]
  ],
  {
    get: (fixture, path) => write(fixture, `GET ${path} HTTP/1.1\r\nHost: app.example\r\nConnection: close\r\n\r\n`),
    handshake: (fixture, path) => write(fixture, handshake(path)),
    end: (raw) => raw.destroy(),
    closesWithResponse: true
  }
)

const answered = async (stream: ClientHttp2Stream): Promise<void> => {
  await once(stream, 'response')
  stream.resume()
}

export const emittingOnHttp2: readonly Check[] = compare<ClientHttp2Stream>(
  [
    ['accepted', '/chat', '/plain', answered],
    ['refused', '/guarded', '/plain-guarded', answered],
    [
      'abandoned by the end of its stream',
      '/gate',
      '/plain-gate',
      leaving((stream) => stream.close(constants.NGHTTP2_CANCEL))
    ],
    ['abandoned by the end of its session', '/gate', '/plain-gate', leaving((stream) => stream.session?.destroy())]
  ],
  {
    get: async ({ openSession }, path) => (await openSession()).request({ ':path': path }).on('error', () => {}),
    handshake: async ({ openSession }, path) => beginConnect(await openSession(), path),
    end: (stream) => stream.close(constants.NGHTTP2_CANCEL),
    closesWithResponse: false
  }
)
