import { once } from 'node:events'
import { ServerResponse } from 'node:http'
import { createServer, type Socket } from 'node:net'
import { type Duplex, PassThrough } from 'node:stream'
import { openRaw } from '@oneport/test-kit'
import { writesWaiting } from '../../src/node.ts'
import { RawView } from '../../src/transport/raw-view.ts'
import { watchHeadersSent } from '../../src/transport/shield.ts'

test('has the values of a Duplex that is not a socket, and accepts the calls of a socket', async () => {
  const raw = new PassThrough()
  const view = new RawView(raw)
  expect([view.bytesRead, view.bytesWritten, view.encrypted, view.depth]).toEqual([0, 0, undefined, 1])
  expect([view.remoteAddress, view.remotePort, view.remoteFamily]).toEqual([undefined, undefined, undefined])
  expect([view.localAddress, view.localPort]).toEqual([undefined, undefined])
  expect(view.setNoDelay().setKeepAlive(true, 1)).toBe(view)
  expect(view.setTimeout(10, () => {})).toBe(view)
  expect(new RawView(view as never).depth).toBe(2)
  view.write('there and back')
  const [data] = await once(view, 'data')
  expect(String(data)).toBe('there and back')
  const closed = once(view, 'close')
  view.destroySoon()
  view.destroySoon()
  await closed
  expect(raw.destroyed).toBe(true)
})

test('has the addresses of a socket, and its timeout', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const accepted = once(server, 'connection') as Promise<[Socket]>
  const client = await openRaw({ port })
  const [raw] = await accepted
  const view = new RawView(raw)
  expect([view.localPort, view.localAddress, view.remoteAddress]).toEqual([port, '127.0.0.1', '127.0.0.1'])
  expect([view.remotePort, view.remoteFamily]).toEqual([raw.remotePort, 'IPv4'])
  view.setNoDelay().setKeepAlive().setTimeout(10)
  await once(view, 'timeout')
  view.setTimeout(0)
  // It has begun to end, and is destroyed after that.
  view.end('last')
  view.destroySoon()
  await once(view, 'close')
  client.destroy()
  server.close()
})

test('counts no writes of a stream that does not report them', () => {
  expect(writesWaiting({} as Duplex)).toBe(0)
  expect(writesWaiting({ _writableState: { buffered: [1, 2] } } as never)).toBe(2)
})

test('knows whether the head is sent, of a response of any class', () => {
  class Unusual extends ServerResponse {}
  Object.defineProperty(Unusual.prototype, 'headersSent', {
    get(this: ServerResponse) {
      return Reflect.get(ServerResponse.prototype, 'headersSent', this) && this.statusCode !== 299
    }
  })
  const req = { method: 'GET', httpVersionMajor: 1, httpVersionMinor: 1, headers: {} } as never
  const res = new Unusual(req)
  watchHeadersSent(res)
  expect(res.headersSent).toBe(false)
  res.writeHead(299)
  expect(res.headersSent).toBe(false)
  res.statusCode = 200
  expect(res.headersSent).toBe(true)
})
