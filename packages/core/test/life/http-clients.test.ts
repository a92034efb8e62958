import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { takePrinted } from '@oneport/test-kit'
import { type AcceptOptions, type AttachOptions, attach, type ServiceClient, serveTopics } from '../../src/index.ts'

const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

/** Serves a service that answers a GET when its client must go or `answer()` is called, and a POST at once. */
async function start(options: AttachOptions, endpoint: AcceptOptions = {}) {
  const waiting: { client: ServiceClient; answer(): void; end(): void }[] = []
  const service = {
    subprotocol: 'test',
    serve: () => {},
    respond: ({ method, url }: IncomingMessage, _access: object, _body?: unknown, client?: ServiceClient) => {
      const { address, signal } = client as ServiceClient
      const headers = { 'Content-Type': 'text/plain' }
      if (signal.aborted) return Promise.resolve({ status: Number(signal.reason), headers, body: 'aborted' })
      if (method === 'POST') return Promise.resolve({ status: 200, headers, body: String(address) })
      return new Promise<{ status: number; headers: Record<string, string>; body: string | Readable }>((resolve) => {
        const stream = new Readable({ read: () => {} })
        stream.push('begin')
        signal.addEventListener('abort', () => {
          resolve({ status: Number(signal.reason), headers, body: 'ended' })
          stream.destroy()
        })
        if (url === '/stream') resolve({ status: 200, headers, body: stream })
        const answer = (): void => resolve({ status: 200, headers, body: 'answer' })
        waiting.push({ client: client as ServiceClient, answer, end: () => void stream.push(null) })
      })
    }
  }
  const server = createServer((req, res) => serveTopics(req, res, service, {}, endpoint))
  const attachment = attach(server, options)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  ends.push(async () => {
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const arrived = async (count: number): Promise<void> => {
    while (waiting.length < count) await new Promise(setImmediate)
  }
  return { attachment, arrived, server: server as Server, url, waiting }
}

const status = async (response: Promise<Response>): Promise<number> => {
  const { body, status } = await response
  await body?.cancel()
  return status
}

describe('a client that waits for a response over plain HTTP', () => {
  test('takes a place among the connections of its address until it has it', async () => {
    const { attachment, arrived, url, waiting } = await start({ maxConnectionsPerAddress: 1 })
    const first = fetch(url)
    await arrived(1)
    expect(attachment.stats()).toMatchObject({ open: 0, httpClients: 1 })
    expect(waiting[0]?.client.address).toBe('127.0.0.1')
    expect(await status(fetch(url))).toBe(429)
    expect(takePrinted().join()).toContain('HANDSHAKE_TOO_MANY')
    expect(attachment.stats()).toMatchObject({ httpClients: 1, refused: { HANDSHAKE_TOO_MANY: 1 } })
    // A message is published without a place.
    expect(await (await fetch(url, { method: 'POST' })).text()).toBe('127.0.0.1')
    waiting[0]?.answer()
    expect(await (await first).text()).toBe('answer')
    expect(attachment.stats()).toMatchObject({ httpClients: 0 })
    const again = fetch(url)
    await arrived(2)
    waiting[1]?.answer()
    expect(await status(again)).toBe(200)
  })

  test('keeps its place while it reads a stream', async () => {
    const { attachment, arrived, url, waiting } = await start({ maxConnections: 1 })
    const stream = await fetch(`${url}/stream`)
    expect(await status(fetch(url))).toBe(503)
    takePrinted()
    waiting[0]?.end()
    await stream.text()
    while (attachment.stats().httpClients > 0) await new Promise(setImmediate)
    const left = new AbortController()
    const another = await fetch(`${url}/stream`, { signal: left.signal })
    await arrived(2)
    expect(another.status).toBe(200)
    left.abort()
    while (attachment.stats().httpClients > 0) await new Promise(setImmediate)
  })

  test('has to go when its credential is revoked', async () => {
    const { attachment, arrived, url } = await start({}, { key: 'ada' })
    const polling = fetch(url)
    await arrived(1)
    expect(attachment.revoke('bob')).toBe(0)
    expect(attachment.revoke('ada')).toBe(1)
    expect(await status(polling)).toBe(401)
  })

  test('security: has to go when its credential expires, and is not let in after that', async () => {
    const expiresAt = Date.now() + 200
    const { arrived, url } = await start({}, { expiresAt })
    const polling = fetch(url)
    await arrived(1)
    expect(await status(polling)).toBe(401)
    expect(Date.now()).toBeGreaterThanOrEqual(expiresAt)
    expect(await status(fetch(url))).toBe(403)
  })

  test('has to go when the server drains', async () => {
    const { attachment, arrived, url } = await start({})
    const polling = fetch(url)
    await arrived(1)
    await attachment.drain()
    expect(await status(polling)).toBe(503)
    expect(await status(fetch(url))).toBe(503)
    expect(await status(fetch(url, { method: 'POST' }))).toBe(503)
    expect(attachment.stats()).toMatchObject({ httpClients: 0, refused: { HANDSHAKE_UNAVAILABLE: 2 } })
  })

  test('goes evenly with others over the time of a drain', async () => {
    const { attachment, arrived, url } = await start({})
    let gone = 0
    const polling = [1, 2, 3, 4].map(() => fetch(url).then(() => void gone++))
    await arrived(4)
    await attachment.drain({ spreadMs: 400 })
    expect(gone).toBeLessThan(4)
    await Promise.all(polling)
    expect(attachment.stats().httpClients).toBe(0)
  })
})
