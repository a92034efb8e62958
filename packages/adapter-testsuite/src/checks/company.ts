import assert from 'node:assert/strict'
import { type IncomingMessage, ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import type { Socket } from 'node:net'
import type * as ws from 'ws'
import type { Fixture } from '../fixture.ts'
import { type Signal, signal } from '../parts/signal.ts'
import { closed } from '../parts/ws-client.ts'
import { type Check, each } from './check.ts'

/** Marks every response, to recognize those of this class. */
class MarkedResponse<Request extends IncomingMessage = IncomingMessage> extends ServerResponse<Request> {
  readonly mark = 'of its own class'
}

const delayMs = 50

/** A listener for `upgrade` that looks something up first and then refuses. @returns a signal that it has refused */
function refuseLate({ server }: Fixture): Signal {
  const refused = signal()
  server.on('upgrade', (_req: IncomingMessage, socket: Socket) => {
    setTimeout(() => {
      socket.write('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
      socket.destroy()
      refused.give()
    }, delayMs)
  })
  return refused
}

/** The copy of `ws` that core loads, which is the one a monitor would patch. */
const wsOfCore = (): typeof ws => createRequire(require.resolve('@oneport/core'))('ws') as typeof ws

/** What a monitor reads from the request that `ws` gets. */
interface Seen {
  readonly req: IncomingMessage
  readonly method: string | undefined
  readonly url: string | undefined
  readonly host: string | undefined
  readonly agent: string | undefined
  readonly address: string | undefined
}

/** Wraps `handleUpgrade`, as Datadog's and OpenTelemetry's instrumentations do. */
function monitorWs(seen: Seen[]): { restore(): void } {
  const { prototype } = wsOfCore().WebSocketServer
  const { handleUpgrade } = prototype
  prototype.handleUpgrade = function (req, socket, head, opened) {
    const { method, url, headers } = req
    const { remoteAddress: address } = req.socket
    seen.push({ req, method, url, host: headers.host, agent: headers['user-agent'], address })
    return handleUpgrade.call(this, req, socket, head, (...args) => opened(...args))
  }
  return {
    restore: () => {
      prototype.handleUpgrade = handleUpgrade
    }
  }
}

/** Next to other listeners, for HTTP/1.1 only. */
export const inCompanyOnHttp1: readonly Check[] = [
  [
    "gives a handshake a response of the server's own class",
    async ({ client, onRequest }) => {
      const marks: unknown[] = []
      onRequest((_req, res) => marks.push((res as Partial<MarkedResponse>).mark))
      await client.get('/plain')
      assert.equal((await (await client.send('/chat')).head()).status, 101)
      assert.equal((await (await client.send('/guarded')).head()).status, 401)
      assert.deepEqual(marks, Array(3).fill('of its own class'))
    },
    { ServerResponse: MarkedResponse }
  ],

  ...each(
    [
      ['is already accepted', '/chat'],
      ['is waiting for middleware', '/gate']
    ],
    (state, path) => [
      `keeps a handshake that ${state} when another upgrade listener refuses it ${delayMs} ms later`,
      async (fixture) => {
        const { client, faults, gate, close } = fixture
        const refused = refuseLate(fixture)
        const connecting = client.connect(path)
        if (path === '/gate') {
          await refused.given
          gate.open()
        }
        const { socket, next } = await connecting
        await refused.given
        socket.send('still here')
        assert.equal(await next(), 'still here')
        const end = closed(socket)
        socket.close(1000)
        assert.equal((await end).code, 1000)
        assert.deepEqual(faults, [])
        await close()
      }
    ]
  )
]

/** Next to other code, for every version of HTTP. */
export const inCompany: readonly Check[] = [
  [
    'lets a monitor that wraps ws read the request of the application',
    async ({ client, onRequest }) => {
      const seen: Seen[] = []
      const asked: IncomingMessage[] = []
      onRequest((req) => asked.push(req))
      const monitor = monitorWs(seen)
      try {
        const exchange = await client.send('/chat', { 'User-Agent': 'contract' })
        assert.equal((await exchange.head()).status, client.accepted)
      } finally {
        monitor.restore()
      }
      const [req] = asked
      const [{ req: given, ...read } = { req: undefined }, ...others] = seen
      assert.deepEqual([asked.length, others], [1, []])
      // Over HTTP/2 it may be an object that inherits from the request.
      assert.ok(given === req || (client.version === 'HTTP/2' && Object.getPrototypeOf(given) === req))
      assert.deepEqual(read, {
        method: 'GET',
        url: '/chat',
        host: client.version === 'HTTP/2' ? req?.headers.host : 'app.example',
        agent: 'contract',
        address: '127.0.0.1'
      })
    }
  ]
]
