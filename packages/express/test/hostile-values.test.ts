import type { Server } from 'node:http'
import { connectClient, handshake, hostileValues, refused, sendRaw } from '@oneport/test-kit'
import type { Application, Request, Response } from 'express'
import { expressWs } from '../src/express-ws/express-ws.ts'
import type { WsOptions } from '../src/express-ws/server-options.ts'
import { acceptWebSocket, wsUpgrade } from '../src/index.ts'
import { useServers } from './servers.ts'
import { versions } from './versions.ts'

const { serve, connect } = useServers()

const raise = (value: unknown) => (): never => {
  throw value
}
const rejectWith = (value: unknown) => async (): Promise<never> => {
  throw value
}

type Route = (req: Request, res: Response) => unknown

describe.each(versions)('security: with %s the process survives', (_name, express) => {
  /** The status of a handshake when a route accepts it. */
  async function statusOf(route: Route): Promise<unknown> {
    const app = express()
    app.set('env', 'test')
    app.use(wsUpgrade({ onError: () => {} }))
    app.get('/', (req, res) => {
      route(req, res)
    })
    return refused(connectClient(await serve(app), '/'))
  }

  describe.each(hostileValues)('%s', (_value, value) => {
    test('thrown by an option function', async () => {
      expect(await statusOf((req, res) => acceptWebSocket(req, res, { subprotocols: raise(value) }, () => {}))).toBe(
        500
      )
    })

    test('thrown by a getter of the request id', async () => {
      const route: Route = (req, res) => {
        Object.defineProperty(req, 'id', { get: raise(value) })
        return acceptWebSocket(req, res, () => {})
      }
      expect(await statusOf(route)).toBe(500)
    })

    test('thrown by next()', async () => {
      const route: Route = (req, res) => {
        req.next = raise(value)
        return acceptWebSocket(req, res, { requireSubprotocol: true, subprotocols: ['a'] }, () => {})
      }
      expect(await statusOf(route)).toBe(500)
    })

    test('as the id of a request', async () => {
      const ids: unknown[] = []
      const app = express()
      app.use(wsUpgrade({ onClosed: (_socket, { request }) => ids.push(request.id) }))
      app.get('/', (req, res) => {
        Object.assign(req, { id: value })
        return acceptWebSocket(req, res, (socket) => socket.terminate())
      })
      const { socket } = await connect(await serve(app), '/')
      await new Promise((resolve) => socket.once('close', resolve))
      expect(ids).toEqual([typeof value === 'string' ? value : undefined])
    })
  })
})

test('regression: outside of Express acceptWebSocket rejected', async () => {
  const { createServer } = await import('node:http')
  const settled: unknown[] = []
  const server = createServer((req, res) => {
    acceptWebSocket(req, res, () => {}).then(
      () => settled.push('resolved'),
      () => settled.push('rejected')
    )
  })
  const { status } = await sendRaw(await serve(server as Server), handshake('/', { Connection: 'close' }))
  expect([status, settled]).toEqual([426, ['resolved']])
})

describe.each(hostileValues)('security: with express-ws the process survives %s', (_value, value) => {
  function appWith(wsOptions: WsOptions = {}) {
    const express = versions[0]?.[1] as () => Application
    const app = express()
    app.set('env', 'test')
    return expressWs(app as never, null, { onError: () => {}, wsOptions })
  }

  test.each<[string, WsOptions]>([
    ['throws', { verifyClient: raise(value) }],
    ['rejects with', { verifyClient: rejectWith(value) }],
    ['with a callback throws', { verifyClient: (_info, _callback) => raise(value)() }],
    ['with a callback rejects with', { verifyClient: async (_info, _callback) => raise(value)() }]
  ])('when verifyClient %s it', async (_how, wsOptions) => {
    const { app } = appWith(wsOptions)
    app.ws('/', () => {})
    expect(await refused(connectClient(await serve(app), '/'))).toBe(500)
  })

  test('as the status from verifyClient', async () => {
    const verifyClient: WsOptions['verifyClient'] = (_info, callback) => {
      setImmediate(() => callback(false, value as number))
    }
    const { app } = appWith({ verifyClient })
    app.ws('/', () => {})
    expect(await refused(connectClient(await serve(app), '/'))).toBe(value === undefined ? 401 : 500)
  })

  test('when handleProtocols throws it', async () => {
    const { app } = appWith({ handleProtocols: raise(value) })
    app.ws('/', () => {})
    expect(await refused(connectClient(await serve(app), '/', ['a']))).toBe(500)
  })

  test.each([
    ['throws', raise(value)],
    ['rejects with', rejectWith(value)]
  ])('when a handler %s it, and closes the connection', async (_how, handler) => {
    const { app } = appWith()
    app.ws('/', handler)
    const { socket } = await connect(await serve(app), '/')
    const isSkip = value === 'route' || value === 'router'
    const code = new Promise((resolve) => socket.once('close', resolve))
    if (isSkip) socket.close(4000)
    expect(await code).toBe(isSkip ? 4000 : 1011)
  })

  test('when a listener for connection of getWss() rejects with it, and closes the connection', async () => {
    const { app, getWss } = appWith()
    app.ws('/', () => {})
    getWss().on('connection', rejectWith(value))
    const { socket } = await connect(await serve(app), '/')
    expect(await new Promise((resolve) => socket.once('close', resolve))).toBe(1011)
  })
})

describe('verifyClient of expressWs', () => {
  test('security: regression: an async one let everyone in', async () => {
    const { app } = expressWs(versions[0]?.[1]() as never, null, { wsOptions: { verifyClient: async () => false } })
    app.ws('/', () => {})
    expect(await refused(connectClient(await serve(app), '/'))).toBe(401)
  })

  test('answers once', async () => {
    const verifyClient: WsOptions['verifyClient'] = (_info, callback) => {
      setImmediate(() => {
        callback(false, 403)
        callback(true)
        callback(false)
      })
    }
    const { app } = expressWs(versions[0]?.[1]() as never, null, { wsOptions: { verifyClient } })
    app.ws('/', () => {})
    expect(await refused(connectClient(await serve(app), '/'))).toBe(403)
  })
})
