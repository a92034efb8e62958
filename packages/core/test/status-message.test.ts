import { once } from 'node:events'
import { createServer } from 'node:http'
import { handshake, headArrived, sendRaw, takePrinted } from '@oneport/test-kit'
import { acceptWebSocket, type Dispatch } from '../src/index.ts'
import { serve, stopAll } from './server.ts'

afterEach(stopAll)

describe.each(['a\r\nb', 'a\nX-Evil: 1', 'a\0b', 'Grüße', '雪', '\x7f', ''])(
  'regression: acceptWebSocket rejected if the response has the reason %j; now',
  (reason) => {
    const outcomes: unknown[] = []
    const accepting =
      (origins: 'any' | []): Dispatch =>
      (req, res) => {
        res.statusMessage = reason
        return acceptWebSocket(req, res, { allowedOrigins: origins }, (socket) => socket.close()).then(
          () => outcomes.push('resolved'),
          (error) => outcomes.push(error)
        )
      }
    const foreign = { Origin: 'https://other.example' }

    beforeEach(() => void outcomes.splice(0))

    test('the client gets its 101', async () => {
      const { target } = await serve(accepting('any'))
      const { status, text } = await sendRaw(target, handshake('/', foreign), headArrived)
      expect([status, text.split('\r\n')[0]]).toEqual([101, 'HTTP/1.1 101 Switching Protocols'])
      expect(outcomes).toEqual(['resolved'])
    })

    test('the client gets its refusal', async () => {
      const { target } = await serve(accepting([]), { onRefused: () => {} })
      const { status, text, rest } = await sendRaw(target, handshake('/', foreign))
      expect([status, text.split('\r\n')[0]]).toEqual([403, 'HTTP/1.1 403 Forbidden'])
      expect(rest).toBe('Origin "https://other.example" is not allowed here.\n')
      expect(outcomes).toEqual(['resolved'])
    })

    test('an ordinary request gets its 426', async () => {
      const { target } = await serve(accepting('any'))
      const { status } = await sendRaw(target, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
      expect(status).toBe(426)
      expect(outcomes).toEqual(['resolved'])
    })

    test('a handshake on a server that is not attached gets its 503', async () => {
      const server = createServer((req, res) => void accepting('any')(req, res)).listen(0, '127.0.0.1')
      await once(server, 'listening')
      const { port } = server.address() as { port: number }
      // Node treats it as an ordinary request if nothing listens for upgrades, and keeps its connection.
      const { status } = await sendRaw({ port }, handshake('/'), headArrived)
      server.close()
      server.closeAllConnections()
      expect(status).toBe(503)
      expect(outcomes).toEqual(['resolved'])
      expect(takePrinted()).toHaveLength(1)
    })

    test('a handshake gets its 503 at the deadline', async () => {
      const { target } = await serve(
        (_req, res) => {
          res.statusMessage = reason
        },
        { handshakeTimeoutMs: 20, onRefused: () => {} }
      )
      expect((await sendRaw(target, handshake('/'))).status).toBe(503)
    })
  }
)
