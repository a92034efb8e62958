import type { IncomingMessage } from 'node:http'
import { closed, refused, signal } from '@oneport/test-kit'
import express from 'express'
import { expressWs } from '../../src/express-ws/express-ws.ts'
import type { WsOptions } from '../../src/express-ws/server-options.ts'
import type { WebSocket } from '../../src/index.ts'
import { ask, echo, useServers } from '../servers.ts'
import { both, ours } from './libraries.ts'

const { serve, connect } = useServers()

async function answerOf(connecting: Promise<unknown>) {
  const response = (await connecting.catch((refusal) => refusal)) as IncomingMessage
  let body = ''
  for await (const chunk of response) body += chunk
  return { status: response.statusCode, headers: response.headers, body }
}

describe.each(both)('The wsOptions of %s:', (_name, { express, expressWs }) => {
  const start = (wsOptions?: WsOptions, handler: (ws: WebSocket) => void = echo) => {
    const { app } = expressWs(express(), undefined, { wsOptions })
    app.ws('/', handler)
    return serve(app)
  }

  test('maxPayload bounds a message', async () => {
    const target = await start({ maxPayload: 10 }, (ws) => {
      // Without an error listener, express-ws ends the process.
      ws.on('error', () => {})
      echo(ws)
    })
    const client = await connect(target, '/')
    expect(await ask(client, '1234567890')).toBe('1234567890')
    client.socket.send('12345678901')
    expect((await closed(client.socket)).code).toBe(1009)
  })

  test('maxPayload 0 sets no limit', async () => {
    const client = await connect(await start({ maxPayload: 0 }), '/')
    const long = 'x'.repeat(2_000_000)
    expect(await ask(client, long)).toBe(long)
  })

  test('perMessageDeflate is negotiated', async () => {
    const target = await start({ perMessageDeflate: true })
    const { response } = await connect(target, '/', [], { perMessageDeflate: true })
    expect(response.headers['sec-websocket-extensions']).toBe('permessage-deflate')
  })

  test('the first subprotocol is chosen without handleProtocols', async () => {
    const { response } = await connect(await start(), '/', ['chat.v1', 'chat.v2'])
    expect(response.headers['sec-websocket-protocol']).toBe('chat.v1')
    expect((await connect(await start(), '/')).response.headers['sec-websocket-protocol']).toBeUndefined()
  })

  test('handleProtocols gets a list and the request, and chooses', async () => {
    const target = await start({
      handleProtocols: (offered, { url }) =>
        url?.startsWith('/') && offered.indexOf('chat.v2') >= 0 ? 'chat.v2' : false
    })
    const { response } = await connect(target, '/', ['chat.v1', 'chat.v2'])
    expect(response.headers['sec-websocket-protocol']).toBe('chat.v2')
  })

  test('verifyClient runs before the application', async () => {
    const asked: unknown[] = []
    const target = await start({
      verifyClient: ({ origin, secure, req }) => {
        asked.push([origin, secure, req.url])
        return req.headers.authorization === 'ada'
      }
    })
    const { status, body } = await answerOf(connect(target, '/?a=b'))
    expect([status, body]).toEqual([401, 'Unauthorized'])
    expect(await ask(await connect(target, '/', [], { headers: { Authorization: 'ada' } }), 'hello')).toBe('hello')
    expect(asked).toEqual([
      [undefined, false, '/?a=b'],
      [undefined, false, '/']
    ])
  })

  test('verifyClient with a callback sets status, message and fields', async () => {
    const target = await start({
      verifyClient: ({ req }, callback) =>
        setImmediate(() => {
          if (req.headers.authorization === 'ada') callback(true)
          else callback(false, 403, 'Not you.', { 'X-Reason': 'stranger' })
        })
    })
    const { status, headers, body } = await answerOf(connect(target, '/'))
    expect([status, headers['x-reason'], body]).toEqual([403, 'stranger', 'Not you.'])
    expect(await ask(await connect(target, '/', [], { headers: { Authorization: 'ada' } }), 'hello')).toBe('hello')
  })

  test('clientTracking: false leaves out the clients', async () => {
    const { app, getWss } = expressWs(express(), undefined, { wsOptions: { clientTracking: false } })
    app.ws('/', echo)
    expect(await ask(await connect(await serve(app), '/'), 'hello')).toBe('hello')
    expect(getWss().clients).toBeUndefined()
  })

  test('verifyClient with a callback may leave everything out', async () => {
    const target = await start({ verifyClient: (_info, callback) => callback(false) })
    expect(await refused(connect(target, '/'))).toBe(401)
  })
})

describe.each(ours)('Besides the wsOptions, %s', (_name, { express, expressWs }) => {
  test('accepts the options of wsUpgrade(), which take precedence', async () => {
    const { app } = expressWs(express(), undefined, {
      wsOptions: { maxPayload: 1, autoPong: true, clientTracking: true },
      maxPayloadBytes: 2,
      subprotocols: ['b'],
      maxConnections: 1,
      onRefused: () => {}
    })
    app.ws('/', echo)
    const target = await serve(app)
    const client = await connect(target, '/', ['a', 'b'])
    expect(client.socket.protocol).toBe('b')
    expect(await ask(client, '12')).toBe('12')
    expect(await refused(connect(target, '/'))).toBe(503)
  })

  test.each([true, false])('ignores a verifyClient that answers %p too late', async (verified) => {
    const late = signal<() => void>()
    const { app } = expressWs(express().set('env', 'test'), undefined, {
      handshakeTimeoutMs: 20,
      onRefused: () => {},
      wsOptions: { verifyClient: (_info, callback) => late.give(() => callback(verified)) }
    })
    app.ws('/', echo)
    expect(await refused(connect(await serve(app), '/'))).toBe(503)
    expect(await late.given).not.toThrow()
  })

  test('regression: named attach() for options in the place of the server', () => {
    expect(() => expressWs(express(), { allowedOrigins: 'any' } as never)).toThrow(
      new TypeError(
        'expressWs: expected a server as the second argument; got [object Object]. Options are the third argument: ' +
          'expressWs(app, undefined, options)'
      )
    )
  })

  test('throws for a wrong option at once', () => {
    expect(() => expressWs(express(), undefined, { maxPayload: 1 } as object)).toThrow(
      "expressWs: unknown option 'maxPayload'; use maxPayloadBytes"
    )
    expect(() => expressWs(express(), undefined, { wsOptions: { maxPayload: -1 } })).toThrow(
      /^expressWs: maxPayloadBytes: expected/
    )
  })
})

test.each<[name: string, value: unknown, instead: string]>([
  ['WebSocket', class {}, 'use listeners on the socket; its class is fixed'],
  ['backlog', 10, 'use app.listen(port, host, backlog)'],
  ['host', '127.0.0.1', 'use app.listen(port, host)'],
  ['noServer', true, 'use the second argument, expressWs(app, server)'],
  ['path', '/chat', 'use the path of a route, app.ws(path, …)'],
  ['port', 3000, 'use app.listen(port)'],
  ['server', {}, 'use the second argument, expressWs(app, server)']
])('A ws option that has no meaning here throws and says what to use: %s', (name, value, instead) => {
  const message = `expressWs: wsOptions.${name}: cannot be set here; ${instead}`
  expect(() => expressWs(express(), null, { wsOptions: { [name]: value } })).toThrow(new TypeError(message))
})
