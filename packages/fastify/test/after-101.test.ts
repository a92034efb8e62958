import { handshake, type RawResponse, sendRaw, signal } from '@oneport/test-kit'
import type { FastifyReply } from 'fastify'
import { connect, echo, error, isCompleted, isOpen, keepLog, makeApp, start } from './harness.ts'

const late: [string, (reply: FastifyReply) => unknown][] = [
  ['reply.send()', (reply) => reply.send('LATE')],
  ['reply.send() of an error', (reply) => reply.send(new Error('LATE'))],
  ['reply.code().header().send()', (reply) => reply.code(500).header('X-Late', '1').send({ late: 'LATE' })],
  ['reply.redirect()', (reply) => reply.redirect('/LATE')],
  ['reply.callNotFound()', (reply) => reply.callNotFound()],
  ['reply.raw.end()', (reply) => reply.raw.end('LATE')],
  ['reply.raw.write()', (reply) => reply.raw.write('LATE')],
  ['reply.raw.writeHead()', (reply) => reply.raw.writeHead(200, { 'X-Late': '1' }).end('LATE')],
  ['reply.raw.setHeader()', (reply) => reply.raw.setHeader('X-Late', '1')],
  ['reply.raw.destroy()', (reply) => reply.raw.destroy()],
  ['reply.hijack()', (reply) => reply.hijack().raw.end('LATE')]
]

/** Some of these throw because the headers have been sent. That is not what is tested here. */
function attempt(run: () => unknown): void {
  try {
    run()
  } catch {}
}

/** Expects that a client gets the 101, a message and a close frame, and nothing else. */
function expectNothingLate({ status, fields, rest, text }: RawResponse): void {
  expect([status, rest]).toEqual([101, '\x81\x05after\x88\x02\x03\xe8'])
  expect([...fields.keys()].sort()).toEqual(['connection', 'date', 'sec-websocket-accept', 'upgrade'])
  expect(text).not.toMatch(/late/i)
}

describe.each(late)('after the 101, %s', (_what, act) => {
  test('in the handler writes nothing to the connection', async () => {
    const app = await makeApp()
    app.get('/late', (_request, reply) =>
      reply.acceptWebSocket((socket) => {
        attempt(() => act(reply))
        socket.send('after')
        socket.close(1000)
      })
    )
    const response = await sendRaw(await start(app), handshake('/late'), (text) => text.endsWith('\x03\xe8'))
    expectNothingLate(response)
  })

  test('after the request is over writes nothing to the connection', async () => {
    const app = await makeApp()
    const over = signal()
    app.addHook('onResponse', async () => over.give())
    app.get('/late', async (_request, reply) =>
      reply.acceptWebSocket(async (socket) => {
        await over.given
        attempt(() => act(reply))
        await new Promise(setImmediate)
        socket.send('after')
        socket.close(1000)
      })
    )
    const response = await sendRaw(await start(app), handshake('/late'), (text) => text.endsWith('\x03\xe8'))
    expectNothingLate(response)
  })
})

test('a handler that answers with reply.send() causes a fault of its own: 1011', async () => {
  const codes: unknown[] = []
  const app = await makeApp({}, { onError: (fault) => codes.push((fault as NodeJS.ErrnoException).code) })
  app.get('/late', (_request, reply) => reply.acceptWebSocket(() => reply.send('LATE')))
  const response = await sendRaw(await start(app), handshake('/late'), (text) => text.endsWith('\x03\xf3'))
  expect(response.rest).toBe('\x88\x02\x03\xf3')
  expect(codes).toEqual(['ERR_HTTP_HEADERS_SENT'])
})

describe('an async route that continues after `await reply.acceptWebSocket()`', () => {
  test('and throws leaves the connection open; Fastify logs the error', async () => {
    const log = keepLog()
    const app = await makeApp({ logger: log.options })
    app.get('/echo', async (_request, reply) => {
      await reply.acceptWebSocket(echo)
      throw new Error('too late')
    })
    const client = await connect(await start(app), '/echo')
    const line = await log.line(({ level }) => level === error)
    expect(line).toMatchObject({ err: { message: 'too late' }, reqId: expect.any(String) })
    expect(await log.line(isCompleted)).toMatchObject({ res: { statusCode: 101 } })
    expect(await isOpen(client)).toBe(true)
  })

  test('and returns a value does not affect the connection', async () => {
    const log = keepLog()
    const app = await makeApp({ logger: log.options })
    app.get('/echo', async (_request, reply) => {
      await reply.acceptWebSocket(echo)
      return { late: true }
    })
    const client = await connect(await start(app), '/echo')
    await log.line(({ err }) => err?.code === 'FST_ERR_REP_ALREADY_SENT')
    expect(await log.line(isCompleted)).toMatchObject({ res: { statusCode: 101 } })
    expect(await isOpen(client)).toBe(true)
  })

  test('and throws after a refusal does not affect the refusal', async () => {
    const log = keepLog()
    const app = await makeApp({ logger: log.options }, { onRefused: () => {} })
    app.get('/echo', async (_request, reply) => {
      await reply.acceptWebSocket(echo)
      throw new Error('too late')
    })
    const response = await sendRaw(await start(app), handshake('/echo', { Origin: 'https://evil.example' }))
    expect([response.status, JSON.parse(response.rest).code]).toEqual([403, 'HANDSHAKE_ORIGIN'])
    await log.line(({ err }) => err?.message === 'too late')
  })
})

test.each([
  ['sends', (reply: FastifyReply) => reply.send('LATE')],
  ['sends an error', (reply: FastifyReply) => reply.send(new Error('LATE'))]
])('a route that %s after it has accepted is still logged as 101', async (_what, act) => {
  const log = keepLog()
  const app = await makeApp({ logger: log.options })
  app.get('/echo', (_request, reply) => {
    void reply.acceptWebSocket(echo)
    act(reply)
  })
  const client = await connect(await start(app), '/echo')
  expect(await log.line(isCompleted)).toMatchObject({ res: { statusCode: 101 } })
  expect(await isOpen(client)).toBe(true)
})

test('an onResponse hook that throws leaves the connection open', async () => {
  const log = keepLog()
  const app = await makeApp({ logger: log.options })
  app.addHook('onResponse', async () => {
    throw new Error('broken')
  })
  app.get('/echo', { websocket: true }, echo)
  const client = await connect(await start(app), '/echo')
  await log.line(({ level }) => level === error)
  expect(await isOpen(client)).toBe(true)
})

test('a trailer that a hook adds is not sent with a 101', async () => {
  const app = await makeApp()
  app.addHook('onRequest', async (_request, reply) => {
    reply.trailer('X-Late', async () => 'LATE')
  })
  app.get('/late', { websocket: true }, (socket) => {
    setImmediate(() => {
      socket.send('after')
      socket.close(1000)
    })
  })
  const response = await sendRaw(await start(app), handshake('/late'), (text) => text.endsWith('\x03\xe8'))
  expectNothingLate(response)
})
