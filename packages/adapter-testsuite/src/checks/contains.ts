import assert from 'node:assert/strict'
import type { Exchange, SentFields } from '../client/client.ts'
import type { Fixture } from '../fixture.ts'
import { closeCodeIn } from '../parts/frames.ts'
import { hostileValues, nonErrors } from '../parts/hostile-values.ts'
import { closed } from '../parts/ws-client.ts'
import { type Check, each, prefixed } from './check.ts'

const faults: [what: string, path: string, phase: string][] = [
  ['a handler that throws', '/handler-throws', 'handler'],
  ['a handler that rejects', '/handler-rejects', 'handler'],
  ['a listener that throws', '/listener-throws', 'listener'],
  ['a listener that rejects', '/listener-rejects', 'listener']
]

const brokenFrames: [what: string, frames: Buffer, code: number][] = [
  ['a frame without a mask', Buffer.from([0x81, 0x01, 0x61]), 1002],
  ['text that is not UTF-8', Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0xff]), 1007],
  ['a message that is too large', Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0, 0x10, 0, 1, 0, 0, 0, 0]), 1009]
]

const unread: [what: string, path: string, bytes: number][] = [
  ['a client that does not read', '/small', 16_000_000],
  ['a client that does not read a flood of one-byte messages', '/many', 12_000_000]
]

/** How a client leaves. */
const ends: [name: string, end: (exchange: Exchange) => unknown][] = [
  ['a reset', (exchange) => exchange.reset()],
  ['an end', (exchange) => exchange.leave()],
  ['a half-close', (exchange) => exchange.halfClose()]
]

const moments: [name: string, path: string, fields: SentFields, isWaiting: boolean][] = [
  ['while middleware waits', '/gate', {}, true],
  ['while the handler runs', '/listens-late', {}, true],
  ['during a refusal', '/chat', { Origin: 'https://evil.example' }, false],
  ['during a handshake at an unknown path', '/unknown', {}, false]
]

const departures = ends.flatMap((end) =>
  moments.map((moment): [...typeof end, ...typeof moment] => [...end, ...moment])
)

/** Opens a second connection. @returns a check that it is still open */
export async function openOther({ client }: Fixture): Promise<() => Promise<void>> {
  const { socket, next } = await client.connect('/chat')
  return async () => {
    socket.send('still here')
    assert.equal(await next(), 'still here')
  }
}

/** The close code of a connection after its client has sent a message. */
async function codeOf({ client }: Fixture, path: string): Promise<number> {
  const { socket } = await client.connect(path)
  const end = closed(socket)
  socket.send('go')
  return (await end).code
}

/** Faults that must not affect other connections, for every version of HTTP. */
export const containing: readonly Check[] = prefixed('contains', [
  ...each(faults, (what, path, phase) => [
    `${what}: one report, close code 1011, other connections stay open`,
    async (fixture) => {
      const isOpen = await openOther(fixture)
      assert.equal(await codeOf(fixture, path), 1011)
      assert.deepEqual(
        fixture.faults.map(({ error, phase }) => [(error as Error).message, phase]),
        [['broken', phase]]
      )
      await isOpen()
    }
  ]),

  ...each(faults, (what, path, phase) => [
    `${what} a value that cannot be printed: one report of this value, close code 1011`,
    async (fixture) => {
      const isOpen = await openOther(fixture)
      for (const [name, value] of hostileValues) {
        fixture.throws(value)
        const before = fixture.faults.length
        assert.equal(await codeOf(fixture, path), 1011, name)
        const [fault, ...others] = fixture.faults.slice(before)
        assert.ok(Object.is(fault?.error, value), name)
        assert.deepEqual([fault?.phase, others.length], [phase, 0], name)
      }
      await isOpen()
    }
  ]),

  // Frameworks themselves fail on values that cannot be printed, for an ordinary GET too.
  [
    'middleware that throws a value other than an error: the answer is that of an ordinary GET',
    async (fixture) => {
      const { client } = fixture
      const isOpen = await openOther(fixture)
      for (const [name, value] of nonErrors) {
        fixture.throws(value)
        const { status } = await client.get('/plain-throws')
        const exchange = await client.send('/throws')
        // For some of these values, such as undefined, a framework continues with the route.
        assert.equal((await exchange.head()).status, status === 200 ? client.accepted : status, name)
        await exchange.leave()
      }
      await isOpen()
    }
  ],

  ...each(brokenFrames, (what, frames, code) => [
    `${what}: one report and its close code`,
    async ({ client, faults }) => {
      const exchange = await client.send('/chat', {}, frames)
      assert.equal(closeCodeIn(await exchange.rest()), code)
      assert.deepEqual(
        faults.map(({ phase }) => phase),
        ['protocol']
      )
    }
  ]),

  ...each(unread, (what, path, bytes) => [
    `${what}: closed with 1013`,
    async ({ client }) => {
      const exchange = await client.send(path)
      const reason = 'too much unread'
      const text = await exchange.rest((all) => all.length > bytes && all.endsWith(reason))
      assert.equal(closeCodeIn(text, reason.length), 1013)
    }
  ]),

  ...each(departures, (how, end, moment, path, sent, isWaiting) => [
    `${how} ${moment}: other connections stay open, and nothing leaks`,
    async (fixture) => {
      const { client, faults, gate, close } = fixture
      const isOpen = await openOther(fixture)
      const exchange = await client.send(path, sent)
      if (isWaiting) await gate.arrived
      await end(exchange)
      const another = await client.send('/chat')
      assert.equal((await another.head()).status, client.accepted)
      await another.leave()
      gate.open()
      await isOpen()
      assert.deepEqual(faults, [])
      await close()
    }
  ])
])
