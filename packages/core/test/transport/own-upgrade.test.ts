import http from 'node:http'
import { handshake, headArrived, signal } from '@oneport/test-kit'
import { WebSocketServer } from 'ws'
import type { Dispatch } from '../../src/index.ts'
import { until } from '../recorded.ts'
import { open, read, serve, stopAll } from '../server.ts'

afterEach(stopAll)

/** A masked frame with the text "hi", and the answer of an echo. */
const frame = Buffer.from('\x81\x82\0\0\0\0hi', 'latin1')
const echoed = '\x81\x02hi'
const closeFrame = Buffer.from('\x88\x82\0\0\0\0\x03\xe8', 'latin1')

describe.each([
  ['at once', false],
  ['after an await', true]
])('a route that upgrades the connection itself %s', (_when, isLater) => {
  test.each([
    ['with early frames', true],
    ['without', false]
  ])('%s: keeps it past the deadline, gets all frames, frees its place and closes', async (_what, isEarly) => {
    const goOn = signal()
    const asked = signal()
    const own = new WebSocketServer({ noServer: true })
    const upgrade: Dispatch = (req) =>
      own.handleUpgrade(req, req.socket, Buffer.alloc(0), (socket) => {
        socket.on('message', (data) => socket.send(String(data)))
      })
    const listener: Dispatch = async (req, res) => {
      if (req.url === '/hang') return undefined
      asked.give()
      if (isLater) await goOn.given
      return upgrade(req, res)
    }
    const options = { handshakeTimeoutMs: 100, maxPendingHandshakes: 1, onRefused: () => {} }
    const { target, server, attachment } = await serve(listener, options, http.createServer())
    const raw = await open(target)
    raw.write(isEarly ? Buffer.concat([Buffer.from(handshake('/own')), frame]) : handshake('/own'))
    await asked.given
    goOn.give()
    const text = await read(raw, (all) => (isEarly ? all.endsWith(echoed) : headArrived(all)))
    expect(text).toMatch(/^HTTP\/1\.1 101 /)
    await until(() => attachment.stats().pending === 0)

    // A later handshake gets the place, and its time ends after that of the first one.
    const other = await open(target)
    other.write(handshake('/hang'))
    expect(await read(other)).toMatch(/^HTTP\/1\.1 503 [\s\S]*too long/)

    raw.write(frame)
    expect(await read(raw, (all) => all.endsWith(echoed))).toBe(echoed)
    raw.write(closeFrame)
    expect(await read(raw)).toBe('\x88\x02\x03\xe8')
    expect(attachment.stats()).toMatchObject({ pending: 0, open: 0 })
    const connections = (): Promise<number> => new Promise((resolve) => server.getConnections((_e, n) => resolve(n)))
    await until(async () => (await connections()) === 0)
    own.close()
  })
})
