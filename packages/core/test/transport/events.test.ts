import { once } from 'node:events'
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import https from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { certificate, handshake, headArrived, reset, type Signal, signal, type Target } from '@oneport/test-kit'
import { agree } from '../../src/adapter.ts'
import { acceptWebSocket } from '../../src/index.ts'
import { record, until } from '../recorded.ts'
import { open, read, serve, stopAll } from '../server.ts'

afterEach(stopAll)

/** One exchange, as the application sees it. */
class Exchange {
  readonly asked: Signal = signal()
  readonly goOn: Signal = signal()
  req!: IncomingMessage
  res!: ServerResponse
  events: readonly string[] = []
  #isFirst = true

  /** @param answer what a route does once it has got the request */
  constructor(answer: (req: IncomingMessage, res: ServerResponse, goOn: Promise<void>) => unknown) {
    this.listener = (req, res) => {
      if (!this.#isFirst) return res.end()
      this.#isFirst = false
      this.req = req
      this.res = res
      this.events = record(req, res)
      const result = answer(req, res, this.goOn.given)
      this.asked.give()
      return result
    }
  }

  readonly listener: (req: IncomingMessage, res: ServerResponse) => unknown

  get values() {
    const { req, res } = this
    return {
      aborted: req.aborted,
      reqDestroyed: req.destroyed,
      errored: req.errored?.message,
      complete: req.complete,
      readableEnded: req.readableEnded,
      resDestroyed: res.destroyed,
      headersSent: res.headersSent,
      writableEnded: res.writableEnded,
      writableFinished: res.writableFinished
    }
  }
}

type Answer = ConstructorParameters<typeof Exchange>[0]
type Client = (raw: Socket, exchange: Exchange) => Promise<void>

const large = Buffer.alloc(32 * 1024 * 1024)

/** Accepts a handshake. Answers an ordinary GET without a body. */
function open101(req: IncomingMessage, res: ServerResponse): void {
  if (req.headers.upgrade === undefined) res.writeHead(204).end()
  else void acceptWebSocket(req, res, () => {})
}

/** Agrees to a handshake, and sends its 101 as a framework would. Answers an ordinary GET without a body. */
const agreeing =
  (send: (res: ServerResponse, status: number) => unknown): Answer =>
  (req, res) => {
    if (req.headers.upgrade !== undefined) agree(req, undefined, () => {})
    send(res, req.headers.upgrade === undefined ? 204 : 101)
  }

/** What clients do, and what the application has answered by then. */
const visits: [name: string, answer: Answer, client: Client][] = [
  ['refused at once', (_req, res) => res.writeHead(403).end('no'), async (raw) => void (await read(raw))],
  [
    'refused at once by an implicit head',
    (_req, res) => Object.assign(res, { statusCode: 403 }).end('no'),
    async (raw) => void (await read(raw))
  ],
  [
    'refused later',
    async (_req, res, goOn) => {
      await goOn
      res.writeHead(403).end('no')
    },
    async (raw, { asked, goOn }) => {
      await asked.given
      goOn.give()
      await read(raw)
    }
  ],
  [
    'refused in pieces',
    async (_req, res, goOn) => {
      res.writeHead(403).write('no')
      await goOn
      res.end('t here')
    },
    async (raw, { goOn }) => {
      await read(raw, (text) => text.includes('no'))
      goOn.give()
      await read(raw)
    }
  ],
  ['accepted at once', (req, res) => open101(req, res), async (raw) => void (await read(raw, headArrived))],
  [
    'accepted later',
    async (req, res, goOn) => {
      await goOn
      open101(req, res)
    },
    async (raw, { asked, goOn }) => {
      await asked.given
      goOn.give()
      await read(raw, headArrived)
    }
  ],
  ...(
    [
      ['an implicit head', (res, statusCode) => Object.assign(res, { statusCode }).end()],
      ['an implicit head and a text', (res, statusCode) => Object.assign(res, { statusCode }).end('switching')],
      ['a head, and a text when it ends', (res, status) => res.writeHead(status).end('switching')]
    ] satisfies [string, Parameters<typeof agreeing>[0]][]
  ).map(([how, send]): [string, Answer, Client] => [
    `accepted by ${how}`,
    agreeing(send),
    async (raw) => void (await read(raw, headArrived))
  ]),
  ['refused by destroying the response', (_req, res) => res.destroy(), async (raw) => void (await read(raw))],
  [
    'refused by destroying the request later',
    async (req, _res, goOn) => {
      await goOn
      req.destroy()
    },
    async (raw, { asked, goOn }) => {
      await asked.given
      goOn.give()
      await read(raw)
    }
  ],
  ...(['a FIN', 'a half-close', 'a reset'] as const).flatMap((how): [string, Answer, Client][] => {
    const leave = async (raw: Socket): Promise<void> => {
      if (how === 'a reset') await reset(raw)
      else if (how === 'a half-close') raw.resume().end()
      else raw.destroy()
    }
    return [
      [
        `abandoned by ${how} before the answer`,
        () => {},
        async (raw, { asked }) => {
          await asked.given
          await leave(raw)
        }
      ],
      [
        `abandoned by ${how}, and answered after that`,
        async (_req, res, goOn) => {
          await goOn
          res.writeHead(403)
          res.write('n')
          res.end('o')
        },
        async (raw, exchange) => {
          await exchange.asked.given
          await leave(raw)
          await until(() => exchange.res.destroyed)
          exchange.goOn.give()
        }
      ],
      [
        `abandoned by ${how} before the end of an answer`,
        (_req, res) => res.writeHead(403).write('begun'),
        async (raw) => {
          await read(raw, (text) => text.includes('begun'))
          await leave(raw)
        }
      ],
      ...(how === 'a half-close'
        ? []
        : [
            [
              `abandoned by ${how} in the middle of a large answer`,
              (_req, res) => res.writeHead(403).end(large),
              async (raw) => {
                await read(raw, headArrived)
                await leave(raw)
              }
            ] as [string, Answer, Client]
          ]),
      [
        `abandoned by ${how} after the answer`,
        (_req, res) => res.writeHead(403, { 'Content-Length': 2 }).end('no'),
        async (raw) => {
          await read(raw, (text) => text.endsWith('no'))
          await leave(raw)
        }
      ]
    ]
  })
]

/** The result of one visit. */
async function visit(answer: Answer, client: Client, target: (exchange: Exchange) => Promise<Target>, bytes: string) {
  const exchange = new Exchange(answer)
  const raw = await open(await target(exchange))
  raw.write(bytes)
  await client(raw, exchange)
  await exchange.asked.given
  await until(() => exchange.events.some((event) => event.startsWith('res close')))
  await until(() => exchange.events.some((event) => event.startsWith('req close')))
  raw.destroy()
  await new Promise(setImmediate)
  return exchange
}

/**
 * Before its end, a response of plain Node may have other values: its request has not been read completely at first,
 * while that of an upgrade has; and its bytes may still be waiting, while those of a 101 have been sent.
 */
const withoutFirstValues = (event: string): string => (event.startsWith('res prefinish') ? 'res prefinish' : event)

const get = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'

const plainServers: http.Server[] = []

describe.each([
  ['over TCP', false],
  ['over TLS', true]
])('%s', (_name, tls) => {
  const makeServer = async () => (tls ? https.createServer(await certificate()) : http.createServer())

  const plain = async ({ listener }: Exchange): Promise<Target> => {
    const server = (await makeServer()).on('request', listener).listen(0, '127.0.0.1')
    await once(server, 'listening')
    server.unref()
    plainServers.push(server)
    return { port: (server.address() as AddressInfo).port, tls }
  }

  test.each(visits)('a handshake that is %s emits what an ordinary GET does', async (_visit, answer, client) => {
    const expected = await visit(answer, client, plain, get)
    const options = { handshakeTimeoutMs: Infinity }
    const served = async ({ listener }: Exchange) => (await serve(listener, options, await makeServer())).target
    const exchange = await visit(answer, client, served, handshake('/'))
    expect(exchange.events.map(withoutFirstValues)).toEqual(expected.events.map(withoutFirstValues))
    expect(exchange.values).toEqual(expected.values)
  })
})

afterEach(async () => {
  for (const server of plainServers.splice(0)) await once(server.close(), 'close')
})

describe('an abandoned handshake', () => {
  const ends: [name: string, end: (raw: Socket) => unknown][] = [
    ['a FIN', (raw) => raw.destroy()],
    ['a half-close', (raw) => raw.resume().end()],
    ['a reset', reset]
  ]
  const later: [name: string, answer: (req: IncomingMessage, res: ServerResponse) => unknown][] = [
    ['accepts it', (req, res) => acceptWebSocket(req, res, () => {})],
    ['refuses it', (_req, res) => res.writeHead(403).end()],
    ['fails', () => Promise.reject(new Error('no database'))]
  ]

  test.each(ends.flatMap(([how, end]) => later.map(([what, answer]) => [how, what, end, answer] as const)))(
    'with %s frees its place at once, and is reported once even if the application %s later',
    async (_how, what, end, answer) => {
      const goOn = signal()
      const answered = signal()
      const refused: string[] = []
      const faults: unknown[] = []
      let asked = 0
      const { target, attachment } = await serve(
        async (req, res) => {
          asked++
          if (req.url !== '/abandoned') return acceptWebSocket(req, res, () => {})
          await goOn.given
          try {
            return await answer(req, res)
          } finally {
            answered.give()
          }
        },
        {
          handshakeTimeoutMs: Infinity,
          maxPendingHandshakes: 1,
          onRefused: ({ code }) => refused.push(code),
          onError: (error) => faults.push(error)
        }
      )
      const raw = await open(target)
      raw.write(handshake('/abandoned'))
      await until(() => asked === 1)
      await end(raw)
      await until(() => attachment.stats().pending === 0)
      expect(refused).toEqual(['HANDSHAKE_ABORTED'])
      const next = await open(target)
      next.write(handshake('/'))
      expect(await read(next, headArrived)).toMatch(/^HTTP\/1\.1 101 /)

      goOn.give()
      await answered.given
      await new Promise(setImmediate)
      expect(refused).toEqual(['HANDSHAKE_ABORTED'])
      expect(attachment.stats().refused).toEqual({ HANDSHAKE_ABORTED: 1 })
      expect(attachment.stats()).toMatchObject({ pending: 0, open: 1 })
      // If the application accepts after the client has left, it gets the refusal.
      expect(faults).toHaveLength(what === 'fails' ? 1 : 0)
    }
  )
})
