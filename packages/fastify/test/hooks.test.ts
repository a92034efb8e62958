import { Transform } from 'node:stream'
import { handshake, headArrived, read, sendRaw, signal } from '@oneport/test-kit'
import { connect, echo, isOpen, makeApp, open, start } from './harness.ts'

const foreign = { Origin: 'https://evil.example' }

test('hooks run in their usual order, then the handler, then onResponse', async () => {
  const order: string[] = []
  const over = signal()
  const app = await makeApp()
  app.addHook('onRequest', async () => void order.push('onRequest'))
  app.addHook('preParsing', async () => void order.push('preParsing'))
  app.addHook('preValidation', async () => void order.push('preValidation'))
  app.addHook('preHandler', async () => void order.push('preHandler'))
  app.addHook('preSerialization', async () => void order.push('preSerialization'))
  app.addHook('onSend', async () => void order.push('onSend'))
  app.addHook('onError', async () => void order.push('onError'))
  app.addHook('onResponse', async () => {
    order.push('onResponse')
    over.give()
  })
  app.get('/echo', { websocket: true }, (socket) => {
    order.push('handler')
    echo(socket)
  })
  const client = await connect(await start(app), '/echo')
  await over.given
  expect(order).toEqual(['onRequest', 'preParsing', 'preValidation', 'preHandler', 'onSend', 'handler', 'onResponse'])
  expect(await isOpen(client)).toBe(true)
})

test('hooks with a callback run too', async () => {
  const order: string[] = []
  const app = await makeApp()
  app.addHook('onRequest', (_request, _reply, done) => {
    order.push('onRequest')
    setImmediate(done)
  })
  app.addHook('preParsing', (_request, _reply, payload, done) => {
    order.push('preParsing')
    done(null, payload)
  })
  app.addHook('onSend', (_request, _reply, payload, done) => {
    order.push('onSend')
    setImmediate(done, null, payload)
  })
  app.get('/echo', { websocket: true }, echo)
  expect(await isOpen(await connect(await start(app), '/echo'))).toBe(true)
  expect(order).toEqual(['onRequest', 'preParsing', 'onSend'])
})

test('hooks of the route itself run', async () => {
  const app = await makeApp()
  const onRequest = jest.fn(async () => {})
  const onSend = jest.fn(async () => {})
  app.get('/echo', { websocket: true, onRequest, onSend }, echo)
  expect(await isOpen(await connect(await start(app), '/echo'))).toBe(true)
  expect(onRequest).toHaveBeenCalledTimes(1)
  expect(onSend).toHaveBeenCalledTimes(1)
})

test('a preParsing hook that replaces the body stream does not affect the frames', async () => {
  const app = await makeApp()
  app.addHook('preParsing', async (_request, _reply, payload) => payload.pipe(new Transform()))
  app.get('/echo', { websocket: true }, echo)
  expect(await isOpen(await connect(await start(app), '/echo'))).toBe(true)
})

describe.each(['onRequest', 'preParsing', 'preValidation', 'preHandler'])('%s', (hook) => {
  // The types of these hooks differ, which does not matter here.
  const name = hook as 'onRequest'

  test('refuses by throwing', async () => {
    const app = await makeApp()
    app.addHook(name, async () => {
      throw Object.assign(new Error('Log in first'), { statusCode: 401 })
    })
    const handler = jest.fn()
    app.get('/echo', { websocket: true }, handler)
    const response = await sendRaw(await start(app), handshake('/echo'))
    expect(response.status).toBe(401)
    expect(response.fields.get('connection')).toEqual(['close'])
    expect(JSON.parse(response.rest)).toEqual({ statusCode: 401, error: 'Unauthorized', message: 'Log in first' })
    expect(handler).not.toHaveBeenCalled()
  })

  test('refuses by sending a reply', async () => {
    const app = await makeApp()
    app.addHook(name, async (_request, reply) => reply.code(403).send('no'))
    app.get('/echo', { websocket: true }, echo)
    const response = await sendRaw(await start(app), handshake('/echo'))
    expect([response.status, response.rest]).toEqual([403, 'no'])
  })

  test('sets header fields of the 101', async () => {
    const app = await makeApp()
    app.addHook(name, async (_request, reply) => void reply.header('X-From', name))
    app.get('/echo', { websocket: true }, echo)
    const response = await sendRaw(await start(app), handshake('/echo'), headArrived)
    expect([response.status, response.fields.get('x-from')]).toEqual([101, [name]])
  })

  test('delays the connection until it is done', async () => {
    const app = await makeApp()
    const gate = signal()
    const arrived = signal()
    app.addHook(name, async () => {
      arrived.give()
      await gate.given
    })
    app.get('/echo', { websocket: true }, echo)
    const connecting = connect(await start(app), '/echo')
    await arrived.given
    expect(app.websockets.connections.size).toBe(0)
    gate.give()
    expect(await isOpen(await connecting)).toBe(true)
  })
})

test('a hook that limits the rate answers 429 with Retry-After', async () => {
  const app = await makeApp()
  let left = 1
  app.addHook('onRequest', async (_request, reply) => {
    if (left-- > 0) return
    reply.header('Retry-After', '30')
    throw Object.assign(new Error('Slow down'), { statusCode: 429 })
  })
  app.get('/echo', { websocket: true }, echo)
  const target = await start(app)
  expect(await isOpen(await connect(target, '/echo'))).toBe(true)
  const response = await sendRaw(target, handshake('/echo'))
  expect([response.status, response.fields.get('retry-after')]).toEqual([429, ['30']])
})

test('a hook that asks for a login answers 401 with WWW-Authenticate', async () => {
  const app = await makeApp()
  app.addHook('onRequest', async (request, reply) => {
    if (request.headers.authorization === 'Bearer good') return
    return reply.code(401).header('WWW-Authenticate', 'Bearer realm="chat"').send({ error: 'Log in first' })
  })
  app.get('/echo', { websocket: true }, echo)
  const target = await start(app)
  const response = await sendRaw(target, handshake('/echo'))
  expect([response.status, response.fields.get('www-authenticate')]).toEqual([401, ['Bearer realm="chat"']])
  const client = await connect(target, '/echo', [], { headers: { Authorization: 'Bearer good' } })
  expect(await isOpen(client)).toBe(true)
})

describe('onSend', () => {
  test.each(['sync', 'async'])('sees status 101, and sets fields of the 101, %s', async (kind) => {
    const app = await makeApp()
    const statuses: number[] = []
    if (kind === 'sync') {
      app.addHook('onSend', (_request, reply, payload, done) => {
        statuses.push(reply.statusCode)
        reply.header('X-From', kind)
        done(null, payload)
      })
    } else {
      app.addHook('onSend', async (_request, reply) => {
        await new Promise(setImmediate)
        statuses.push(reply.statusCode)
        reply.header('X-From', kind)
      })
    }
    app.get('/echo', { websocket: true }, echo)
    const response = await sendRaw(await start(app), handshake('/echo'), headArrived)
    expect([response.status, response.fields.get('x-from')]).toEqual([101, [kind]])
    expect(statuses).toEqual([101])
  })

  test('cannot give the 101 a body, nor fields that belong to the handshake', async () => {
    const app = await makeApp()
    app.addHook('onSend', async (_request, reply) => {
      reply.headers({
        'Content-Length': '4',
        'Transfer-Encoding': 'chunked',
        'Sec-WebSocket-Accept': 'forged',
        'Sec-WebSocket-Protocol': 'forged',
        Connection: 'keep-alive',
        Upgrade: 'h2c'
      })
      return 'body'
    })
    app.get('/echo', { websocket: true }, (socket) => socket.close(1000, 'bye'))
    const response = await sendRaw(await start(app), handshake('/echo'), (text) => text.includes('bye'))
    expect(response.status).toBe(101)
    expect(response.rest).toBe('\x88\x05\x03\xe8bye')
    expect(response.text).not.toMatch(/forged|h2c|chunked|content-length/i)
  })

  test.each(['sync', 'async'])('that throws gives a 500 and no WebSocket, %s', async (kind) => {
    const app = await makeApp()
    const handler = jest.fn()
    const broken = new Error('broken')
    if (kind === 'sync') app.addHook('onSend', (_request, _reply, _payload, done) => done(broken))
    else app.addHook('onSend', () => Promise.reject(broken))
    app.get('/echo', { websocket: true }, handler)
    const response = await sendRaw(await start(app), handshake('/echo'))
    expect(response.status).toBe(500)
    expect(handler).not.toHaveBeenCalled()
    expect(app.websockets.connections.size).toBe(0)
  })

  test('that throws once gives a 500 and no WebSocket', async () => {
    const app = await makeApp()
    const handler = jest.fn()
    let first = true
    app.addHook('onSend', async () => {
      if (!first) return
      first = false
      throw new Error('broken')
    })
    app.get('/echo', { websocket: true }, handler)
    const response = await sendRaw(await start(app), handshake('/echo'))
    expect(response.status).toBe(500)
    expect(JSON.parse(response.rest)).toMatchObject({ message: 'broken' })
    expect(handler).not.toHaveBeenCalled()
  })

  test('that throws opens no WebSocket if the error handler leaves the status alone', async () => {
    const app = await makeApp()
    const handler = jest.fn()
    app.setErrorHandler((error: Error, _request, reply) => {
      reply.send({ caught: error.message })
    })
    let first = true
    app.addHook('onSend', async () => {
      if (!first) return
      first = false
      throw new Error('broken')
    })
    app.get('/echo', { websocket: true }, handler)
    const response = await sendRaw(await start(app), handshake('/echo'), headArrived)
    expect(response.status).toBe(500)
    expect(handler).not.toHaveBeenCalled()
  })

  test('that throws an error with a status is answered with that status', async () => {
    const app = await makeApp()
    app.addHook('onSend', async (_request, reply) => {
      if (reply.statusCode === 101) throw Object.assign(new Error('no'), { statusCode: 403 })
    })
    app.get('/echo', { websocket: true }, echo)
    expect((await sendRaw(await start(app), handshake('/echo'))).status).toBe(403)
  })

  test('can refuse with its own status', async () => {
    const app = await makeApp()
    const handler = jest.fn()
    app.addHook('onSend', async (_request, reply) => {
      reply.code(403)
      return 'not today'
    })
    app.get('/echo', { websocket: true }, handler)
    const response = await sendRaw(await start(app), handshake('/echo'))
    expect([response.status, response.rest]).toEqual([403, 'not today'])
    expect(handler).not.toHaveBeenCalled()
  })

  test('sees the status of a refusal', async () => {
    const app = await makeApp({}, { onRefused: () => {} })
    const statuses: number[] = []
    app.addHook('onSend', async (_request, reply) => void statuses.push(reply.statusCode))
    app.get('/echo', { websocket: true }, echo)
    expect((await sendRaw(await start(app), handshake('/echo', foreign))).status).toBe(403)
    expect(statuses).toEqual([403])
  })
})

describe('onResponse', () => {
  test('runs once with status 101, while the connection is open', async () => {
    const app = await makeApp()
    const statuses: number[] = []
    const over = signal()
    app.addHook('onResponse', async (_request, reply) => {
      statuses.push(reply.statusCode)
      over.give()
    })
    app.get('/echo', { websocket: true }, echo)
    const client = await connect(await start(app), '/echo')
    await over.given
    expect(await isOpen(client)).toBe(true)
    client.socket.close()
    await app.close()
    expect(statuses).toEqual([101])
  })

  test('runs once with the status of a refusal', async () => {
    const app = await makeApp({}, { onRefused: () => {} })
    const statuses: number[] = []
    app.addHook('onResponse', async (_request, reply) => void statuses.push(reply.statusCode))
    app.get('/echo', { websocket: true }, echo)
    const target = await start(app)
    await sendRaw(target, handshake('/echo', foreign))
    await sendRaw(target, handshake('/unknown'))
    await app.close()
    expect(statuses).toEqual([403, 404])
  })
})

test('onError sees a refusal, but not an accepted handshake', async () => {
  const app = await makeApp({}, { onRefused: () => {} })
  const codes: string[] = []
  app.addHook('onError', async (_request, _reply, error) => void codes.push(error.code))
  app.get('/echo', { websocket: true }, echo)
  const target = await start(app)
  await sendRaw(target, handshake('/echo', foreign))
  expect(await isOpen(await connect(target, '/echo'))).toBe(true)
  expect(codes).toEqual(['HANDSHAKE_ORIGIN'])
})

test('handlerTimeout ends a handshake without an answer, with 503', async () => {
  const app = await makeApp({ handlerTimeout: 20 })
  app.get('/echo', { websocket: true, preHandler: () => new Promise<void>(() => {}) }, echo)
  expect((await sendRaw(await start(app), handshake('/echo'))).status).toBe(503)
})

test('a connection is not affected by the timeouts of its handshake', async () => {
  const app = await makeApp({ handlerTimeout: 20, connectionTimeout: 20, requestTimeout: 20, keepAliveTimeout: 20 })
  const onTimeout = jest.fn(async () => {})
  app.addHook('onTimeout', onTimeout)
  app.get('/slow', async () => {
    await new Promise((resolve) => setTimeout(resolve, 10))
    return 'slow'
  })
  app.get('/echo', { websocket: true }, echo)
  const target = await start(app)
  const client = await connect(target, '/echo')
  // One of those timeouts closes a newer connection that waits for a request, so they have all expired by now.
  await read(await open(target))
  expect(await isOpen(client)).toBe(true)
  expect(onTimeout).not.toHaveBeenCalled()
})

test('onRequestAbort does not run for an accepted connection', async () => {
  const app = await makeApp()
  const onRequestAbort = jest.fn(async () => {})
  app.addHook('onRequestAbort', onRequestAbort)
  const ended = signal()
  app.get('/echo', { websocket: true }, (socket) => socket.on('close', () => ended.give()))
  const { socket } = await connect(await start(app), '/echo')
  socket.terminate()
  await ended.given
  await app.close()
  expect(onRequestAbort).not.toHaveBeenCalled()
})
