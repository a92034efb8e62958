import { once } from 'node:events'
import { connect as connectSocket } from 'node:net'
import { closed, handshake, headArrived, read, sendRaw, signal, takePrinted } from '@oneport/test-kit'
import { connect, echo, isOpen, makeApp, open, start } from './harness.ts'

describe('app.close()', () => {
  test.each([undefined, true, false, 'idle' as const])(
    'closes every connection with 1001 and finishes, with forceCloseConnections %s',
    async (forceCloseConnections) => {
      const app = await makeApp(forceCloseConnections === undefined ? {} : { forceCloseConnections })
      app.get('/echo', { websocket: true }, echo)
      const target = await start(app)
      const clients = [await connect(target, '/echo'), await connect(target, '/echo'), await connect(target, '/echo')]
      const ends = clients.map(({ socket }) => closed(socket))
      await app.close()
      expect(await Promise.all(ends)).toEqual(clients.map(() => ({ code: 1001, reason: '' })))
      expect(app.websockets.connections.size).toBe(0)
      expect(app.server.listening).toBe(false)
    }
  )

  test('finishes where no connection was ever open, listening or not', async () => {
    const quiet = await makeApp()
    await quiet.close()
    const listening = await makeApp()
    await start(listening)
    await listening.close()
    expect(listening.server.listening).toBe(false)
  })

  test('finishes while a client that was refused keeps its side open', async () => {
    const app = await makeApp()
    app.get('/echo', { websocket: true }, echo)
    const raw = connectSocket({ host: '127.0.0.1', ...(await start(app)), allowHalfOpen: true })
    const text = read(raw)
    const end = once(raw, 'end')
    raw.write(handshake('/unknown'))
    await end
    await app.close()
    expect(app.server.listening).toBe(false)
    raw.destroy()
    expect(await text).toMatch(/^HTTP\/1\.1 404 /)
  })

  test.each([true, false, 'idle' as const])(
    'finishes though a handshake waits behind Server-Sent Events, with forceCloseConnections %s',
    async (forceCloseConnections) => {
      const app = await makeApp({ forceCloseConnections }, { drain: { deadlineMs: 20 } })
      const ended = signal()
      app.get('/events', (request, reply) => {
        reply.hijack()
        reply.raw.writeHead(200, { 'Content-Type': 'text/event-stream' }).write('data: first\n\n')
        request.raw.on('aborted', () => reply.raw.on('close', () => ended.give()))
      })
      app.get('/echo', { websocket: true }, echo)
      const raw = await open(await start(app))
      raw.write(`GET /events HTTP/1.1\r\nHost: a\r\n\r\n${handshake('/echo')}`)
      await read(raw, (text) => text.includes('first'))
      expect(app.websockets.stats().pending).toBe(1)
      await app.close()
      await ended.given
      expect(app.websockets.stats().pending).toBe(0)
    }
  )

  test('finishes though a client does not answer the close frame', async () => {
    const app = await makeApp({}, { closeTimeoutMs: 10 })
    app.get('/echo', { websocket: true }, echo)
    const raw = await open(await start(app))
    raw.write(handshake('/echo'))
    const text = read(raw)
    await once(raw, 'data')
    await app.close()
    expect((await text).split('\r\n\r\n')[1]).toBe('\x88\x02\x03\xe9')
  })

  test('lets a handler finish its last words', async () => {
    const app = await makeApp()
    const order: string[] = []
    app.get('/echo', { websocket: true }, (socket) => {
      socket.on('close', () => order.push('socket'))
    })
    app.addHook('preClose', async () => void order.push('preClose'))
    app.addHook('onClose', async () => void order.push('onClose'))
    await connect(await start(app), '/echo')
    await app.close()
    expect(order).toEqual(['socket', 'preClose', 'onClose'])
  })

  test('answers a handshake that is still waiting with 503', async () => {
    const app = await makeApp()
    const gate = signal()
    const arrived = signal()
    const preHandler = async () => {
      arrived.give()
      await gate.given
    }
    app.get('/echo', { websocket: true, preHandler }, echo)
    // The plugin's own hook came first: the drain has begun.
    app.addHook('preClose', async () => gate.give())
    const answer = sendRaw(await start(app), handshake('/echo'))
    await arrived.given
    await app.close()
    const response = await answer
    expect([response.status, response.fields.has('retry-after')]).toEqual([503, true])
  })

  test('leaves no listener on the server', async () => {
    const app = await makeApp()
    app.get('/echo', { websocket: true }, echo)
    await start(app)
    await app.close()
    expect(app.server.listenerCount('upgrade')).toBe(0)
  })

  test('called twice closes once', async () => {
    const app = await makeApp()
    app.get('/echo', { websocket: true }, echo)
    const { socket } = await connect(await start(app), '/echo')
    const end = closed(socket)
    await Promise.all([app.close(), app.close()])
    expect((await end).code).toBe(1001)
  })

  test('after a drain of the application’s own finishes', async () => {
    const app = await makeApp()
    app.get('/echo', { websocket: true }, echo)
    const { socket } = await connect(await start(app), '/echo')
    const end = closed(socket)
    await app.websockets.drain({ code: 1012, reason: 'deploy' })
    await app.close()
    expect(await end).toEqual({ code: 1012, reason: 'deploy' })
  })
})

describe('app.websockets', () => {
  test('holds the sockets of all endpoints, until they close', async () => {
    const app = await makeApp()
    const sockets: unknown[] = []
    const ended = signal()
    app.get('/one', { websocket: true }, (socket) => {
      sockets.push(socket)
      socket.on('close', () => setImmediate(ended.give))
    })
    app.get('/two', (_request, reply) => reply.acceptWebSocket((socket) => sockets.push(socket)))
    const target = await start(app)
    const one = await connect(target, '/one')
    await connect(target, '/two')
    expect([...app.websockets.connections]).toEqual(sockets)
    one.socket.close()
    await ended.given
    expect([...app.websockets.connections]).toEqual(sockets.slice(1))
  })

  test('is for broadcasts', async () => {
    const app = await makeApp()
    app.get('/feed', { websocket: true }, () => {})
    app.post('/news', async () => {
      for (const socket of app.websockets.connections) socket.send('news')
      return app.websockets.connections.size
    })
    const target = await start(app)
    const clients = [await connect(target, '/feed'), await connect(target, '/feed')]
    expect((await app.inject({ method: 'POST', url: '/news' })).body).toBe('2')
    expect(await Promise.all(clients.map(({ next }) => next()))).toEqual(['news', 'news'])
  })

  test('drain() closes the connections, refuses new ones with 503, and HTTP goes on', async () => {
    const app = await makeApp()
    app.get('/echo', { websocket: true }, echo)
    app.get('/plain', async () => 'plain')
    const target = await start(app)
    const { socket } = await connect(target, '/echo')
    const end = closed(socket)
    expect(await app.websockets.drain()).toEqual({ closed: 1, terminated: 0 })
    expect((await end).code).toBe(1001)
    const response = await sendRaw(target, handshake('/echo'))
    expect([response.status, response.fields.has('retry-after')]).toEqual([503, true])
    expect((await app.inject('/plain')).body).toBe('plain')
  })

  test('detach() leaves open connections, and handshakes are ordinary requests from then on', async () => {
    const app = await makeApp()
    app.get('/echo', { websocket: true }, echo)
    const target = await start(app)
    const client = await connect(target, '/echo')
    app.websockets.detach()
    expect(await isOpen(client)).toBe(true)
    const response = await sendRaw(target, handshake('/echo', { Connection: 'Upgrade, close' }), headArrived)
    expect(response.status).toBe(503)
    expect(takePrinted()).toEqual([expect.stringMatching(/^oneport: HANDSHAKE_NOT_ATTACHED: /)])
  })
})

describe('the option drain of the plugin', () => {
  test('is how app.close() takes leave', async () => {
    const app = await makeApp({}, { drain: { code: 1012, reason: 'restart' } })
    app.get('/echo', { websocket: true }, () => {})
    const { socket } = await connect(await start(app), '/echo')
    const end = closed(socket)
    await app.close()
    expect(await end).toEqual({ code: 1012, reason: 'restart' })
  })

  test('is checked when the plugin is registered', async () => {
    await expect(makeApp({}, { drain: { spreadMs: -1 } })).rejects.toThrow(
      /^wsPlugin: drain: spreadMs: expected a number of milliseconds/
    )
  })
})
