import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Fixture } from '../fixture.ts'
import { handshake, headArrived, reset } from '../parts/raw-client.ts'
import { read } from '../parts/received.ts'
import { signal } from '../parts/signal.ts'
import { type Check, each } from './check.ts'

const names = ['aborted', 'error', 'end', 'close', 'finish'] as const

/** What a request and its response emit, in order. */
function record(req: IncomingMessage, res: ServerResponse): { events: string[]; over: Promise<void> } {
  const events: string[] = []
  const over = signal()
  const note = (event: string): void => {
    events.push(event)
    if (events.includes('req close') && events.includes('res close')) over.give()
  }
  for (const name of names) {
    req.on(name, () => note(`req ${name}`))
    res.on(name, () => note(`res ${name}`))
  }
  return { events, over: over.given }
}

const emitterOf = (event: string): string => event.slice(0, 3)
const byEmitter = (one: string, other: string): number => emitterOf(one).localeCompare(emitterOf(other))

type Visit = (raw: Socket, fixture: Fixture) => unknown

/**
 * The events of one request, from the moment at which middleware gets it until both have closed. Those of the request and
 * those of the response keep their order; whether an answer waits for the end of the request is for the framework.
 */
async function eventsOf(fixture: Fixture, request: string, visit: Visit): Promise<string[]> {
  const come = signal()
  let recorded: ReturnType<typeof record> | undefined
  fixture.onRequest((req, res) => {
    recorded ??= record(req, res)
    come.give()
  })
  const raw = await fixture.open()
  raw.write(request)
  // Of a client that leaves at once, newer versions of Node send nothing.
  await come.given
  await visit(raw, fixture)
  await recorded?.over
  raw.destroy()
  // What comes behind the end would come now.
  await new Promise(setImmediate)
  return [...(recorded?.events ?? [])].sort(byEmitter)
}

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: app.example\r\nConnection: close\r\n\r\n`

const leaving =
  (leave: (raw: Socket) => unknown): Visit =>
  async (raw, { gate }) => {
    await gate.arrived
    await leave(raw)
  }

const outcomes: [name: string, path: string, page: string, visit: Visit][] = [
  ['accepted', '/chat', '/plain', (raw) => read(raw, headArrived)],
  ['refused', '/guarded', '/plain-guarded', (raw) => read(raw)],
  ['abandoned by an end', '/gate', '/plain-gate', leaving((raw) => raw.destroy())],
  ['abandoned by a half-close', '/gate', '/plain-gate', leaving((raw) => raw.resume().end())],
  ['abandoned by a reset', '/gate', '/plain-gate', leaving(reset)]
]

/** Whoever listens to a request or a response, such as a log or a monitor, hears of a handshake what it hears of a GET. */
export const emitting: readonly Check[] = each(outcomes, (outcome, path, page, visit) => [
  `lets the request and the response of a handshake that is ${outcome} emit what those of an ordinary GET do`,
  async (fixture) => {
    const expected = await eventsOf(fixture, get(page), visit)
    assert.ok(expected.includes('res close'))
    assert.deepEqual(await eventsOf(fixture, handshake(path), visit), expected)
  }
])
