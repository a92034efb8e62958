import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Attachment, acceptWebSocket, attach } from '@oneport/core'
import fc from 'fast-check'
import { type Draft, handshakeDraft, write } from '../src/draft.ts'
import { exchange } from '../src/exchange.ts'

let server: Server
let attachment: Attachment

beforeAll(async () => {
  const listener = (req: IncomingMessage, res: ServerResponse) =>
    acceptWebSocket(req, res, (socket) => socket.on('message', (data) => socket.send(data)))
  server = createServer((req, res) => void listener(req, res))
  attachment = attach(server, listener, { onRefused: () => {}, onError: () => {} })
  await once(server.listen(0, '127.0.0.1'), 'listening')
})

afterAll(async () => {
  await once(server.close(), 'close')
  expect([attachment.stats().open, attachment.stats().pending]).toEqual([0, 0])
  attachment.detach()
})

const token = fc.string({ unit: fc.constantFrom(..."!#$%&'*+-.^_`|~09azAZ"), minLength: 1, maxLength: 12 })
const latin1 = fc.string({
  unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
  maxLength: 30
})
const visible = fc.string({
  unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
  maxLength: 30
})
const ofHandshakes = handshakeDraft('/').fields
const name = fc.oneof(fc.constantFrom(...ofHandshakes.map(([one]) => one), 'Origin', 'Content-Length', 'Expect'), token)
const value = fc.oneof(fc.constantFrom(...ofHandshakes.map(([, one]) => one)), token, visible, latin1)
const field = fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...ofHandshakes) }, fc.tuple(name, value))

/** Requests with the fields of a handshake, those of another request, or nonsense. */
const request: fc.Arbitrary<Draft> = fc.record({
  method: fc.oneof({ weight: 5, arbitrary: fc.constant('GET') }, fc.constantFrom('POST', 'HEAD', 'OPTIONS'), token),
  target: fc.oneof(
    { weight: 5, arbitrary: fc.constant('/echo') },
    visible.map((text) => `/${text}`),
    latin1
  ),
  version: fc.oneof({ weight: 9, arbitrary: fc.constant('HTTP/1.1') }, fc.constantFrom('HTTP/1.0', 'HTTP/2.0'), token),
  fields: fc.oneof(
    fc.array(field, { maxLength: 12 }) as fc.Arbitrary<[string, string][]>,
    fc
      .tuple(fc.array(field, { maxLength: 3 }), fc.shuffledSubarray(ofHandshakes, { minLength: 4 }))
      .map(([more, most]) => [...more, ...most] as [string, string][])
  ),
  body: fc.constantFrom('', '', 'hello')
})

test('security: any request gets a complete response, and 101 only where it is allowed', async () => {
  await fc.assert(
    fc.asyncProperty(request, fc.constantFrom('answered', 'last'), fc.nat({ max: 400 }), async (draft, leaves, cut) => {
      const text = write(draft)
      const pieces = [text.slice(0, cut), text.slice(cut)]
      const { port } = server.address() as AddressInfo
      expect((await exchange(port, { pieces, frames: [], leaves, by: 'end', handshakes: 1 })).fault).toBeUndefined()
    }),
    { numRuns: 400, seed: 6455 }
  )
}, 60_000)
