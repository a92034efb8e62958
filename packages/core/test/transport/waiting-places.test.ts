import { once } from 'node:events'
import http from 'node:http'
import { connect, type Socket } from 'node:net'
import { handshake, headArrived } from '@oneport/test-kit'
import { type AttachOptions, acceptWebSocket, type Dispatch } from '../../src/index.ts'
import { until } from '../recorded.ts'
import { open, read, type Served, serve, stopAll } from '../server.ts'

const clients: Socket[] = []
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy()
  await stopAll()
})

/** How many handshakes are waiting at `/slow`. */
let waiting = 0
beforeEach(() => {
  waiting = 0
})

const listener: Dispatch = (req, res) => {
  if (req.url === '/chat') return acceptWebSocket(req, res, () => {})
  if (req.url === '/unknown') return res.writeHead(404).end('nobody here')
  waiting++
  return undefined
}

describe('next to a listener for upgrade that never answers', () => {
  async function serveBeside(options: AttachOptions): Promise<Served> {
    const server = http.createServer()
    server.on('upgrade', () => {})
    return serve(listener, { maxPendingHandshakesPerAddress: Infinity, ...options }, server)
  }

  test('handshakes at unknown paths do not use up places, and the oldest of too many get their 404', async () => {
    const served = await serveBeside({ handshakeTimeoutMs: Infinity, maxPendingHandshakes: 3 })
    const raws: Socket[] = []
    for (let count = 1; count <= 10; count++) {
      const raw = await open(served.target)
      raws.push(raw)
      raw.write(handshake('/unknown'))
      // One after the other, so that it is clear which is the oldest.
      await until(() => served.attachment.stats().pending === Math.min(count, 3))
      if (count > 3) expect(await read(raws[count - 4] as Socket)).toMatch(/^HTTP\/1\.1 404 [\s\S]*nobody here/)
    }
    const other = await open(served.target)
    other.write(handshake('/chat'))
    expect(await read(other, headArrived)).toMatch(/^HTTP\/1\.1 101 /)
    expect(served.attachment.stats()).toMatchObject({ pending: 3, refused: {} })
    expect(raws.slice(-3).map((raw) => raw.bytesRead)).toEqual([0, 0, 0])
  })

  test('each of them gets its 404 at the deadline', async () => {
    const served = await serveBeside({ handshakeTimeoutMs: 50 })
    const raws = await Promise.all([open(served.target), open(served.target), open(served.target)])
    for (const raw of raws) raw.write(handshake('/unknown'))
    for (const raw of raws) expect(await read(raw)).toMatch(/^HTTP\/1\.1 404 [\s\S]*nobody here/)
    expect(served.attachment.stats().pending).toBe(0)
  })

  test('one whose client leaves is forgotten', async () => {
    const served = await serveBeside({ handshakeTimeoutMs: Infinity })
    const raw = await open(served.target)
    raw.write(handshake('/unknown'))
    await until(() => served.attachment.stats().pending === 1)
    raw.destroy()
    await until(() => served.attachment.stats().pending === 0)
  })
})

describe('one client', () => {
  async function connectFrom({ target }: Served, localAddress: string): Promise<Socket> {
    const raw = connect({ port: target.port, host: '127.0.0.1', localAddress })
    raw.on('error', () => {})
    clients.push(raw)
    await once(raw, 'connect')
    return raw
  }

  /** Sends handshakes until one is refused. @returns how many are waiting */
  async function fill(connectOne: () => Promise<Socket>, bytes: string): Promise<number> {
    const before = waiting
    for (let sent = 1; sent <= 20; sent++) {
      const raw = await connectOne()
      raw.write(bytes)
      let answer = ''
      void read(raw).then((text) => {
        answer = text
      })
      await until(() => waiting === before + sent || answer !== '')
      if (answer === '') continue
      expect(answer).toMatch(/^HTTP\/1\.1 429 /)
      return waiting - before
    }
    return Infinity
  }

  test('has no more than its share of the waiting places; another one gets in', async () => {
    const codes: string[] = []
    const served = await serve(listener, {
      handshakeTimeoutMs: Infinity,
      maxPendingHandshakes: 8,
      onRefused: ({ code }) => codes.push(code)
    })
    expect(await fill(() => connectFrom(served, '127.0.0.2'), handshake('/slow'))).toBe(2)
    expect(codes).toEqual(['HANDSHAKE_TOO_MANY'])
    const other = await connectFrom(served, '127.0.0.3')
    other.write(handshake('/chat'))
    expect(await read(other, headArrived)).toMatch(/^HTTP\/1\.1 101 /)
    // Released places are free again.
    for (const raw of clients.filter(({ localAddress }) => localAddress === '127.0.0.2')) raw.destroy()
    await until(() => served.attachment.stats().pending === 0)
    const again = await connectFrom(served, '127.0.0.2')
    again.write(handshake('/chat'))
    expect(await read(again, headArrived)).toMatch(/^HTTP\/1\.1 101 /)
  })

  test('is refused by maxPendingHandshakesPerAddress as given, and with Infinity only by maxPendingHandshakes', async () => {
    for (const maxPendingHandshakesPerAddress of [1, 3]) {
      const options = { handshakeTimeoutMs: Infinity, maxPendingHandshakesPerAddress, onRefused: () => {} }
      const served = await serve(listener, options)
      expect(await fill(() => connectFrom(served, '127.0.0.2'), handshake('/slow'))).toBe(
        maxPendingHandshakesPerAddress
      )
    }
    const options = { handshakeTimeoutMs: Infinity, maxPendingHandshakes: 4, onRefused: () => {} }
    const served = await serve(listener, { ...options, maxPendingHandshakesPerAddress: Infinity })
    waiting = 0
    const raws = await Promise.all(Array.from({ length: 4 }, () => connectFrom(served, '127.0.0.2')))
    for (const raw of raws) raw.write(handshake('/slow'))
    await until(() => waiting === 4)
    const fifth = await connectFrom(served, '127.0.0.2')
    fifth.write(handshake('/slow'))
    expect(await read(fifth)).toMatch(/^HTTP\/1\.1 503 /)
  })

  test('is identified by X-Forwarded-For behind a proxy that effectiveRequest trusts', async () => {
    const served = await serve(listener, {
      handshakeTimeoutMs: Infinity,
      maxPendingHandshakes: 8,
      onRefused: () => {},
      effectiveRequest: ({ headers }) => ({
        host: String(headers.host),
        scheme: undefined,
        address: String(headers['x-forwarded-for'])
      })
    })
    const from = (address: string) => ({ 'X-Forwarded-For': address })
    const connectOne = () => open(served.target)
    expect(await fill(connectOne, handshake('/slow', from('203.0.113.1')))).toBe(2)
    expect(await fill(connectOne, handshake('/slow', from('203.0.113.2')))).toBe(2)
    const other = await connectOne()
    other.write(handshake('/chat', from('203.0.113.3')))
    expect(await read(other, headArrived)).toMatch(/^HTTP\/1\.1 101 /)
  })
})
