import { handshake, sendRaw } from '@oneport/test-kit'
import request from 'supertest'
import { connect, echo, isOpen, keepLog, makeApp, start } from './harness.ts'

async function app() {
  const made = await makeApp()
  made.get('/plain', async () => 'plain')
  made.post('/json', async ({ body }) => ({ got: body }))
  made.get('/echo', { websocket: true }, echo)
  made.get('/reply', (_request, reply) => reply.acceptWebSocket(echo))
  made.route({ method: 'GET', url: '/live', handler: async () => 'page', wsHandler: echo })
  return made
}

describe('app.inject()', () => {
  test('gets the answers of ordinary routes', async () => {
    const made = await app()
    expect((await made.inject('/plain')).body).toBe('plain')
    const posted = await made.inject({ method: 'POST', url: '/json', body: { a: 1 } })
    expect(posted.json()).toEqual({ got: { a: 1 } })
    expect((await made.inject('/live')).body).toBe('page')
    expect((await made.inject('/unknown')).statusCode).toBe(404)
  })

  test.each(['/echo', '/reply'])('gets 426 with Upgrade at the endpoint %s', async (url) => {
    const response = await (await app()).inject(url)
    expect(response.statusCode).toBe(426)
    expect(response.headers.upgrade).toBe('websocket')
    expect(response.json()).toMatchObject({
      code: 'HANDSHAKE_UPGRADE_REQUIRED',
      message: expect.stringContaining('This URL is a WebSocket endpoint')
    })
  })

  test('gets the head of the same answer for HEAD', async () => {
    const made = await app()
    for (const url of ['/echo', '/reply']) {
      const response = await made.inject({ method: 'HEAD', url })
      expect([response.statusCode, response.headers.upgrade, response.body]).toEqual([426, 'websocket', ''])
      expect(response.headers['content-length']).toBe((await made.inject(url)).headers['content-length'])
    }
    const live = await made.inject({ method: 'HEAD', url: '/live' })
    expect([live.statusCode, live.headers['content-length'], live.body]).toEqual([200, '4', ''])
  })

  test('gets 404 for other methods at an endpoint', async () => {
    expect((await (await app()).inject({ method: 'POST', url: '/echo', body: {} })).statusCode).toBe(404)
  })

  test('of a handshake, which is not possible, gives a 503 that is explained in the log', async () => {
    const log = keepLog()
    const made = await makeApp({ logger: log.options })
    made.get('/echo', { websocket: true }, echo)
    const headers = {
      upgrade: 'websocket',
      connection: 'Upgrade',
      'sec-websocket-key': 'x3JJHMbDL1EzLkh9GBhXDw==',
      'sec-websocket-version': '13'
    }
    const response = await made.inject({ url: '/echo', headers })
    expect(response.statusCode).toBe(503)
    expect(log.lines).toEqual(expect.arrayContaining([expect.objectContaining({ code: 'HANDSHAKE_NOT_ATTACHED' })]))
  })

  test('works before and after the server listens', async () => {
    const made = await app()
    expect((await made.inject('/echo')).statusCode).toBe(426)
    const target = await start(made)
    expect((await made.inject('/echo')).statusCode).toBe(426)
    expect(await isOpen(await connect(target, '/echo'))).toBe(true)
  })
})

describe('supertest with app.server', () => {
  test('works after ready()', async () => {
    const made = await app()
    await made.ready()
    await request(made.server).get('/plain').expect(200, 'plain')
    await request(made.server)
      .post('/json')
      .send({ a: 1 })
      .expect(200, { got: { a: 1 } })
    await request(made.server).get('/live').expect(200, 'page')
    await request(made.server).get('/echo').expect(426).expect('Upgrade', 'websocket')
  })

  test('works after listen(), together with WebSockets', async () => {
    const made = await app()
    const client = await connect(await start(made), '/echo')
    await request(made.server).get('/plain').expect(200, 'plain')
    await request(made.server).head('/echo').expect(426)
    expect(await isOpen(client)).toBe(true)
  })

  test('sees the refusal of a handshake as an ordinary response', async () => {
    const made = await app()
    await made.ready()
    await request(made.server)
      .get('/echo')
      .set({ Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '8' })
      .expect(426)
      .expect('Sec-WebSocket-Version', '13')
      .expect('Connection', /close/)
  })
})

test('HEAD with Upgrade: websocket at an endpoint is answered without a body', async () => {
  const target = await start(await app())
  const bytes = handshake('/echo').replace('GET', 'HEAD').replace('Connection: Upgrade', 'Connection: Upgrade, close')
  const response = await sendRaw(target, bytes)
  expect([response.status, response.rest]).toEqual([426, ''])
})
