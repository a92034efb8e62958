import type { Socket } from 'node:net'
import { handshake, headArrived } from '@oneport/test-kit'
import { acceptWebSocket, type Dispatch } from '../../src/index.ts'
import { ContainedWebSocket } from '../../src/life/contained-socket.ts'
import { open, read, serve, stopAll } from '../server.ts'

afterEach(async () => {
  jest.restoreAllMocks()
  await stopAll()
})

const clientCount = 1_000
const batchSize = 50

/** A masked close frame with 1012, in answer to the server's. */
const closeFrame = Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xf4])

/** The most values within any interval of a length. */
const mostWithin = (sorted: readonly number[], length: number): number =>
  Math.max(...sorted.map((from, index) => sorted.slice(index).filter((value) => value < from + length).length))

const work = (ms: number): void => {
  const end = performance.now() + ms
  while (performance.now() < end);
}

test.each([
  ['in an idle process', 0],
  ['in a process that is blocked for 400 ms meanwhile', 400]
])(
  'a drain of 1000 clients over 2 s has no 100 ms with more than 15 %% of the closes, %s',
  async (_how, busyMs) => {
    const closedAt: number[] = []
    const listener: Dispatch = (req, res) =>
      acceptWebSocket(req, res, (socket) => {
        socket.on('error', () => {})
      })
    const { close } = ContainedWebSocket.prototype
    jest.spyOn(ContainedWebSocket.prototype, 'close').mockImplementation(function (this: ContainedWebSocket, ...args) {
      const isFirst = this.readyState === this.OPEN
      if (isFirst && closedAt.push(performance.now()) === clientCount / 4) work(busyMs)
      close.apply(this, args)
    })
    const { target, attachment } = await serve(listener, { heartbeat: false })
    const raws: Socket[] = []
    while (raws.length < clientCount) {
      const batch = await Promise.all(Array.from({ length: batchSize }, () => open(target)))
      for (const raw of batch) raw.write(handshake('/'))
      await Promise.all(batch.map((raw) => read(raw, headArrived)))
      raws.push(...batch)
    }
    const ends = raws.map(async (raw) => {
      const text = await read(raw, (bytes) => bytes.length >= 4)
      raw.end(closeFrame)
      return text
    })

    expect(await attachment.drain({ code: 1012, spreadMs: 2_000 })).toEqual({ closed: clientCount, terminated: 0 })
    expect(new Set(await Promise.all(ends))).toEqual(new Set(['\x88\x02\x03\xf4']))
    expect(closedAt).toHaveLength(clientCount)
    expect(mostWithin(closedAt, 100)).toBeLessThanOrEqual(clientCount * 0.15)
  },
  20_000
)
