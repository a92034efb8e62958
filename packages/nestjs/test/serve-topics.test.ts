import 'reflect-metadata'
import type { Server, ServerResponse } from 'node:http'
import compress from '@fastify/compress'
import { createTopics } from '@oneport/topics'
import compression from 'compression'
import { timeout } from 'rxjs'
import { access, describeServeTopics } from '../../topics/test/serve-topics.ts'
import type { serveTopics } from '../src/index.ts'
import { closeAll, start, type TestLogger } from './start.ts'
import { combinations, type Nest, type Platform } from './versions.ts'

type Request = Parameters<typeof serveTopics>[0]
type Response = Parameters<typeof serveTopics>[1]
type Prepare = Parameters<typeof start>[4]

/** Starts an application with a method that serves topics. */
async function serve(
  nest: Nest,
  platform: Platform,
  method: (request: Request, response: Response) => Promise<void>,
  prepare: Prepare = () => {},
  given: Parameters<typeof start>[5] = {}
) {
  const { All, Controller, Req, Res } = nest.common
  @Controller()
  class TopicsController {
    @All('topics')
    serve(@Req() request: Request, @Res() response: Response): Promise<void> {
      return method(request, response)
    }
  }
  const prepared = (app: Parameters<NonNullable<Prepare>>[0]): unknown => {
    app.use((_request: object, response: ServerResponse, next: () => void) => {
      response.setHeader('X-Middleware', 'yes')
      next()
    })
    return prepare(app)
  }
  return start(nest, platform, { controllers: [TopicsController] }, {}, prepared, given)
}

describe.each(combinations)('%s', (name, nest, platform) => {
  const { ForbiddenException } = nest.common
  const { serveTopics, HandshakeError } = nest.oneport

  afterEach(closeAll)

  let logger: TestLogger
  const logged = (): string[] => logger.lines.splice(0)
  describeServeTopics(
    name,
    async (topics, options) => {
      const started = await serve(
        nest,
        platform,
        (request, response) => serveTopics(request, response, topics, access, options),
        (app) => {
          if (platform === 'Express') return
          const { useBodyParser } = app as unknown as { useBodyParser(type: string): void }
          useBodyParser.call(app, 'application/octet-stream')
        }
      )
      logger = started.logger
      return started.app.getHttpServer() as Server
    },
    { logged }
  )

  test('exception filters get refusals, and guards run first', async () => {
    const topics = createTopics({ history: {} })
    const caught: unknown[] = []
    const { app, logger } = await serve(
      nest,
      platform,
      (request, response) => serveTopics(request, response, topics, access),
      (app) => {
        app.useGlobalGuards({
          canActivate(context) {
            const { headers } = context.switchToHttp().getRequest()
            if (headers.cookie !== 'user=ada') throw new ForbiddenException('Log in first.')
            return true
          }
        })
        class Filter {
          catch(error: InstanceType<typeof HandshakeError>, host: import('@nestjs/common').ArgumentsHost): void {
            caught.push(error.code)
            const { httpAdapter } = app.get(nest.core.HttpAdapterHost)
            httpAdapter.reply(host.switchToHttp().getResponse(), { problem: error.code }, error.status)
          }
        }
        nest.common.Catch(HandshakeError)(Filter)
        app.useGlobalFilters(new Filter())
      }
    )
    await app.listen(0, '127.0.0.1')
    const url = `${await app.getUrl()}/topics?topic=news`
    const anonymous = await fetch(url)
    expect([anonymous.status, await anonymous.json()]).toMatchObject([403, { message: 'Log in first.' }])
    const cookie = { Cookie: 'user=ada' }
    expect((await fetch(url, { headers: cookie })).status).toBe(200)
    const foreign = await fetch(url, { headers: { ...cookie, Origin: 'https://evil.example' } })
    expect([foreign.status, await foreign.json()]).toEqual([403, { problem: 'HANDSHAKE_ORIGIN' }])
    expect(caught).toEqual(['HANDSHAKE_ORIGIN'])
    expect(logger.lines).toEqual([expect.stringContaining('HANDSHAKE_ORIGIN')])
  })

  test('a stream outlives interceptors that limit the time of a method', async () => {
    const topics = createTopics({ history: {} })
    let isReturned = (): void => {}
    const returned = new Promise<void>((resolve) => (isReturned = resolve))
    const { app, logger } = await serve(
      nest,
      platform,
      async (request, response) => {
        await serveTopics(request, response, topics, access)
        isReturned()
      },
      (app) => app.useGlobalInterceptors({ intercept: (_context, next) => next.handle().pipe(timeout(60_000)) })
    )
    await app.listen(0, '127.0.0.1')
    const headers = { Accept: 'text/event-stream' }
    const stream = await fetch(`${await app.getUrl()}/topics?topic=news`, { headers })
    await returned
    topics.publish('news', 'hello')
    let text = ''
    for await (const chunk of stream.body as unknown as AsyncIterable<Uint8Array>) {
      text += Buffer.from(chunk).toString()
      if (text.includes('hello')) break
    }
    while (topics.stats().httpClients > 0) await new Promise(setImmediate)
    expect(logger.lines).toEqual([])
    // The client has opened another one ahead.
    ;(app.getHttpServer() as Server).closeAllConnections()
  })

  test('streams are not compressed', async () => {
    const topics = createTopics({ history: {} })
    const { app } = await serve(
      nest,
      platform,
      (request, response) => serveTopics(request, response, topics, access),
      async (app) => {
        if (platform === 'Express') app.use(compression({ threshold: 0, filter: () => true }))
        else await app.getHttpAdapter().getInstance().register(compress, { threshold: 0, customTypes: /./ })
      }
    )
    await app.listen(0, '127.0.0.1')
    const url = `${await app.getUrl()}/topics?topic=news`
    const stream = await fetch(url, { headers: { Accept: 'text/event-stream' } })
    expect(stream.headers.get('content-encoding')).toBeNull()
    await stream.body?.cancel()
    expect((await fetch(url)).headers.get('content-encoding')).toMatch(/^(?:br|gzip)$/)
    ;(app.getHttpServer() as Server).closeAllConnections()
  })

  test('publishes bodies that Nest has parsed, if the application keeps them', async () => {
    const topics = createTopics({ history: {} })
    const { app } = await serve(
      nest,
      platform,
      (request, response) => serveTopics(request, response, topics, access),
      () => {},
      { rawBody: true }
    )
    await app.listen(0, '127.0.0.1')
    const url = `${await app.getUrl()}/topics?topic=news`
    const init = { method: 'POST', body: '{ "a": 1 }', headers: { 'Content-Type': 'application/json' } }
    const posted = await fetch(`${url}&id=1`, init)
    expect([posted.status, await posted.json()]).toEqual([200, { offset: 1 }])
    const { answers } = (await (await fetch(`${url}&since=all`)).json()) as { answers: string[] }
    expect(answers[1]).toBe('message 1 news\n{ "a": 1 }')
  })

  test('app.close() ends streams and polls', async () => {
    const topics = createTopics({ history: {} })
    const { app } = await serve(nest, platform, (request, response) => serveTopics(request, response, topics, access))
    await app.listen(0, '127.0.0.1')
    const url = `${await app.getUrl()}/topics?topic=news`
    const stream = await fetch(url, { headers: { Accept: 'text/event-stream' } })
    const { since } = (await (await fetch(url)).json()) as { since: string }
    const polling = fetch(`${url}&since=${since}`)
    while (topics.stats().httpClients < 2) await new Promise(setImmediate)
    await app.close()
    expect((await polling).status).toBe(503)
    expect(await stream.text()).toMatch(/\nretry: \d+\n\n$/)
  })
})
