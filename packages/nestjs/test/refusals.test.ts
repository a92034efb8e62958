import 'reflect-metadata'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'
import type { INestApplication } from '@nestjs/common'
import { connect, expectRefused } from '@oneport/testing'
import { HandshakeError } from '../src/index.ts'
import { closeAll, start } from './start.ts'
import { combinations } from './versions.ts'

/** Sends a handshake with an old version of the protocol. */
async function sendOldVersion(app: INestApplication, path: string): Promise<[IncomingMessage, string]> {
  await app.listen(0, '127.0.0.1')
  const headers = {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version': '12'
  }
  const [response] = await once(request(`${await app.getUrl()}${path}`, { headers }).end(), 'response')
  return [response, await text(response)]
}

describe.each(combinations)('%s', (_name, nest, platform) => {
  const { Catch, Controller, HttpException } = nest.common
  const { WebSocketGateway } = nest.websockets
  const { Socket, WebSocketRoute } = nest.oneport

  @WebSocketGateway({ path: '/gateway' })
  class Gateway {}

  @Controller()
  class Routes {
    @WebSocketRoute('route')
    open(@Socket() _socket: object): void {}
  }

  const serve = async (...[options, prepare]: [Parameters<typeof start>[3]?, Parameters<typeof start>[4]?]) =>
    start(nest, platform, { providers: [Gateway], controllers: [Routes] }, options, prepare)

  afterEach(closeAll)

  test.each(['/gateway', '/route'])('answers a refusal at %s with its status and header fields', async (path) => {
    const { app, logger } = await serve({ maxConnections: 1 })
    const refused = async (headers: Record<string, string>): Promise<unknown> => {
      const { status, headers: fields, body } = await expectRefused(app.getHttpServer(), path, { headers })
      return { status, fields, body: JSON.parse(body) }
    }
    const [old, body] = await sendOldVersion(app, path)
    expect(old.statusCode).toBe(426)
    expect(old.headers).toMatchObject({ upgrade: 'websocket', 'sec-websocket-version': '13' })
    expect(JSON.parse(body)).toEqual({ statusCode: 426, message: expect.stringMatching(/Sec-WebSocket-Version/) })
    const client = await connect(app.getHttpServer(), path)
    expect(await refused({})).toMatchObject({
      status: 503,
      fields: { 'retry-after': '5' },
      body: { statusCode: 503, message: 'Service Unavailable' }
    })
    await client.close()
    expect(logger.lines.filter((line) => line.startsWith('error'))).toEqual([])
  })

  test('logs what the operator has to know as a warning, and nothing as an error', async () => {
    const { app, logger } = await serve()
    for (const path of ['/gateway', '/route']) {
      const { status, body } = await expectRefused(app.getHttpServer(), path, { origin: 'https://evil.example' })
      expect([status, JSON.parse(body).message]).toEqual([403, 'Origin "https://evil.example" is not allowed here.'])
    }
    expect(logger.lines).toHaveLength(2)
    expect(logger.lines[0]).toMatch(
      /^warn: HANDSHAKE_ORIGIN: Origin "https:\/\/evil.example" is not allowed here.\norigin/
    )
    const refusals: unknown[] = []
    const other = await serve({ onRefused: ({ code }) => void refusals.push(code) })
    await expectRefused(other.app.getHttpServer(), '/gateway', { origin: 'https://evil.example' })
    expect([refusals, other.logger.lines]).toEqual([['HANDSHAKE_ORIGIN'], []])
  })

  test('passes a refusal to filters, as a HandshakeError and as an HttpException', async () => {
    const caught: unknown[] = []
    @Catch(HandshakeError)
    class Filter {
      catch(error: HandshakeError, host: import('@nestjs/common').ArgumentsHost): void {
        const { code, status, headers, expose, message, detail } = error
        caught.push([error instanceof HttpException, code, status, headers, expose, message, detail])
        host.switchToHttp().getResponse().status(status).send('caught')
      }
    }
    @Catch(HttpException)
    class OtherFilter {
      catch(error: InstanceType<typeof HttpException>, host: import('@nestjs/common').ArgumentsHost): void {
        caught.push([error.getStatus(), error.getResponse()])
        host.switchToHttp().getResponse().status(error.getStatus()).send('caught')
      }
    }
    const headers = { Connection: 'Upgrade', 'Sec-WebSocket-Version': '13', Upgrade: 'websocket' }
    for (const path of ['/gateway', '/route']) {
      const { app } = await serve({}, (app) => void app.useGlobalFilters(new Filter()))
      const [old, body] = await sendOldVersion(app, path)
      expect([old.statusCode, old.headers['sec-websocket-version'], body]).toEqual([426, '13', 'caught'])
      const message = (caught.at(-1) as unknown[])[5]
      expect(caught.splice(0)).toEqual([[true, 'HANDSHAKE_VERSION', 426, headers, true, message, undefined]])
      expect(message).toMatch(/Sec-WebSocket-Version/)
      const other = await serve({}, (app) => void app.useGlobalFilters(new OtherFilter()))
      await sendOldVersion(other.app, path)
      expect(caught.splice(0)).toEqual([[426, { statusCode: 426, message }]])
    }
  })

  test('answers a refusal that a guard throws in the same way', async () => {
    const error = new HandshakeError('HANDSHAKE_UNAVAILABLE', 'later', undefined, {
      status: 503,
      headers: { 'Retry-After': '60' }
    })
    const { app, logger } = await serve({}, (app) => {
      app.useGlobalGuards({
        canActivate: () => {
          throw error
        }
      })
    })
    const { status, headers } = await expectRefused(app.getHttpServer(), '/gateway')
    expect([status, headers['retry-after'], logger.lines]).toEqual([503, '60', []])
  })

  test('limits the pending handshakes of a client before middleware', async () => {
    let waiting = 0
    let release = (): void => {}
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    const { app, logger } = await serve({ maxPendingHandshakesPerAddress: 1 }, (app) => {
      app.use(async (_req: object, _res: object, next: () => void) => {
        waiting++
        await released
        next()
      })
    })
    const clients = [connect(app.getHttpServer(), '/gateway'), connect(app.getHttpServer(), '/gateway')]
    const outcomes = Promise.allSettled(clients)
    const refused = await Promise.any(clients.map((client) => client.then(Promise.reject, (error: unknown) => error)))
    expect(refused).toMatchObject({ status: 429, headers: { 'retry-after': '5' } })
    expect(waiting).toBe(1)
    release()
    expect((await outcomes).map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(logger.lines.filter((line) => line.startsWith('error'))).toEqual([])
    for (const client of await outcomes) if (client.status === 'fulfilled') await client.value.close()
  })
})
