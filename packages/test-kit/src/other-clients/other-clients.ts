import type { Subject } from '@oneport/adapter-testsuite'
import { closeServed, serverFor, type Way, ways } from '@oneport/adapter-testsuite/parts'
import type { WebSocket } from '@oneport/core'
import { type Message, otherClients, type RunningClient, startOtherClient, type Visit } from './other-client.ts'

const megabyteOf = (byte: string): Buffer => Buffer.alloc(1_000_000, byte)

const text: Message = { text: 'Grüße 🙂' }

const echoed: [what: string, sent: Message, echo: Message][] = [
  ['text', text, text],
  ['an empty message', { text: '' }, { text: '' }],
  ['a binary message', { base64: 'AAH/' }, { base64: 'AAH/' }],
  ['a megabyte of text', { text: String(megabyteOf('x')) }, { text: String(megabyteOf('x')) }],
  [
    'a megabyte of bytes',
    { base64: megabyteOf('x').toString('base64') },
    { base64: megabyteOf('x').toString('base64') }
  ]
]

const inPieces: [what: string, sent: Message, echo: Message] = [
  'a message in fragments',
  { fragments: ['one, ', 'two, ', 'three'] },
  { text: 'one, two, three' }
]

/** WebSocket clients other than `ws` work with the endpoints of an adapter. */
export function describeOtherClients(subject: Subject, { http2 = false } = {}): void {
  for (const way of ways.filter((way) => http2 || !way.http2)) {
    describe(way.name, () => describeOn(way, subject))
  }
}

function describeOn(way: Way, subject: Subject): void {
  const clients = otherClients.filter(({ version }) => version === way.version)

  describe.each(clients)('with $name', ({ command, isSkipped, missing, seesStatus, sendsFragments }) => {
    const run = isSkipped ? test.skip : test
    const hint = missing === undefined ? '' : ` (${missing})`
    let client: RunningClient | undefined
    let running: Awaited<ReturnType<typeof serve>>

    beforeEach(async () => {
      running = await serve(way, subject)
    })

    afterEach(() => running.close())
    afterAll(() => client?.stop())

    const visit = (path: string, visit: Partial<Visit> = {}) => {
      client ??= startOtherClient(command)
      const url = `${way.tls ? 'wss' : 'ws'}://127.0.0.1:${running.port}${path}`
      return client.visit({ url, subprotocols: [], messages: [], ...visit })
    }

    run.each(sendsFragments ? [...echoed, inPieces] : echoed)(`echoes %s${hint}`, async (_what, sent, echo) => {
      expect(await visit('/chat', { messages: [sent, text], close: [1000, ''] })).toMatchObject({
        echoes: [echo, text]
      })
    })

    run(`agrees on a subprotocol, and answers the close of the client${hint}`, async () => {
      const result = await visit('/chat', { subprotocols: ['other', 'chat'], messages: [text], close: [4000, 'done'] })
      expect(result).toEqual({ subprotocol: 'chat', extension: '', echoes: [text], code: 4000, reason: 'done' })
      expect(running.versions).toEqual([way.version === 'HTTP/2' ? '2.0' : '1.1'])
    })

    run(`closes the connection${hint}`, async () => {
      expect(await visit('/closes')).toMatchObject({ code: 4001, reason: 'bye' })
    })

    run(`compresses messages${hint}`, async () => {
      const result = await visit('/deflate', { messages: [text, text], close: [1000, ''] })
      expect(result).toMatchObject({ extension: 'permessage-deflate', echoes: [text, text], code: 1000 })
    })

    run.each([
      ['/guarded', 401],
      ['/strict', 400],
      ['/unknown', 404]
    ])(`refuses the handshake at %s with %i${hint}`, async (path, status) => {
      expect(await visit(path)).toEqual({ refused: true, ...(seesStatus ? { status } : {}) })
    })
  })
}

const echo = (socket: WebSocket): void => {
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
}

/** Serves the endpoints that the clients visit. */
async function serve(way: Way, subject: Subject) {
  const versions: string[] = []
  const served = await subject({
    ...(await serverFor(way)),
    endpoints: [
      { path: '/chat', options: { subprotocols: ['chat', 'chat.v1'] }, handler: echo },
      { path: '/deflate', options: { perMessageDeflate: true }, handler: echo },
      { path: '/strict', options: { subprotocols: ['chat'], requireSubprotocol: true }, handler: echo },
      { path: '/closes', options: {}, handler: (socket) => socket.close(4001, 'bye') },
      { path: '/guarded', options: {}, handler: echo }
    ],
    pages: [],
    fields: {},
    lateFields: {},
    before: async (req) => {
      versions.push(req.httpVersion)
      if (req.url === '/guarded') throw Object.assign(new Error('Log in first'), { status: 401, statusCode: 401 })
    },
    options: { onRefused: () => {} }
  })
  const { port } = served.server.address() as { port: number }
  return { port, versions, close: () => closeServed(served) }
}
