import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { handshake, headArrived, reset, sendRaw } from '../parts/raw-client.ts'
import { read } from '../parts/received.ts'
import { accepted } from '../parts/ws-client.ts'
import { type Check, each, prefixed } from './check.ts'
import { openOther } from './contains.ts'

/** The head of a request for another protocol. */
const upgrade = (method: string, protocol: string, path: string, more = ''): string =>
  `${method} ${path} HTTP/1.1\r\nHost: app.example\r\nUpgrade: ${protocol}\r\nConnection: Upgrade\r\n${more}\r\n`

/** Whether a response with a short body, in one piece or one chunk, is complete. */
const responseEnded = (text: string): boolean =>
  /\r\n\r\n.*plain/s.test(text) && !/chunked(?!.*\r\n0\r\n\r\n$)/is.test(text)

const last = 'GET /plain HTTP/1.1\r\nHost: app.example\r\nConnection: close\r\n\r\n'

const isPage = /^HTTP\/1\.1 200 .*plain/s

const accepting: readonly Check[] = prefixed('accepts', [
  [
    'the handshake of RFC 6455 with its accept value and subprotocol',
    async ({ target }) => {
      const fields = { 'Sec-WebSocket-Protocol': 'chat, superchat' }
      const response = await sendRaw(target, handshake('/chat', fields), headArrived)
      assert.equal(response.status, 101)
      assert.match(response.text, /^HTTP\/1\.1 101 Switching Protocols\r\n/)
      assert.deepEqual(response.fields.get('upgrade'), ['websocket'])
      assert.deepEqual(response.fields.get('connection'), ['Upgrade'])
      assert.deepEqual(response.fields.get('sec-websocket-accept'), [accepted])
      assert.deepEqual(response.fields.get('sec-websocket-protocol'), ['chat'])
      assert.equal(response.fields.has('content-length'), false)
      assert.equal(response.fields.has('transfer-encoding'), false)
    }
  ],

  ...each(
    [
      ['Connection as a list in any case', { Connection: 'keep-alive, UPGRADE' }],
      ['Connection twice', { Connection: ['keep-alive', 'upgrade'] }],
      ['Upgrade as a list in any case', { Upgrade: 'other, WebSocket' }],
      ['Upgrade twice', { Upgrade: ['other', 'websocket'] }]
    ] as [string, Record<string, string | string[]>][],
    (what, sent) => [
      what,
      async ({ target }) => {
        const response = await sendRaw(target, handshake('/chat', sent), headArrived)
        assert.equal(response.status, 101)
        assert.deepEqual(response.fields.get('sec-websocket-accept'), [accepted])
      }
    ]
  ),

  [
    'a handshake after a request with a body on the same connection',
    async ({ open }) => {
      const raw = await open()
      raw.write('POST /plain HTTP/1.1\r\nHost: app.example\r\nContent-Length: 5\r\n\r\nhello')
      await read(raw, responseEnded)
      raw.write(handshake('/chat'))
      assert.match(await read(raw, headArrived), /^HTTP\/1\.1 101 /)
    }
  ],

  [
    'a handshake pipelined behind a request that is still being answered',
    async ({ open }) => {
      const raw = await open()
      raw.write(`GET /plain HTTP/1.1\r\nHost: app.example\r\n\r\n${handshake('/chat')}`)
      const text = await read(raw, (all) => all.includes(accepted))
      assert.match(text, /^HTTP\/1\.1 200 .*plain.*HTTP\/1\.1 101 /s)
    }
  ]
])

const refusing: readonly Check[] = prefixed('refuses', [
  ...each(
    [
      ['a missing key', undefined],
      ['a short key', 'c2hvcnQ='],
      ['two keys', [...'ab'].map(() => 'x3JJHMbDL1EzLkh9GBhXDw==')]
    ] as [string, string | string[] | undefined][],
    (what, key) => [
      what,
      async ({ refusals, target }) => {
        const response = await sendRaw(target, handshake('/chat', { 'Sec-WebSocket-Key': key }))
        assert.equal(response.status, 400)
        assert.deepEqual(refusals, ['HANDSHAKE_KEY'])
      }
    ]
  ),

  [
    'the handshake of the draft with two keys',
    async ({ refusals, target }) => {
      const response = await sendRaw(
        target,
        handshake('/chat', {
          'Sec-WebSocket-Version': undefined,
          'Sec-WebSocket-Key': undefined,
          'Sec-WebSocket-Key1': '18x 6]8vM;54 *(5:  {   U1]8  z [  8',
          'Sec-WebSocket-Key2': '1_ tx7X d  <  nw  334J702) 7]o}` 0'
        })
      )
      assert.equal(response.status, 426)
      assert.deepEqual(refusals, ['HANDSHAKE_VERSION'])
    }
  ],

  [
    'a handshake without Host, and one with two',
    async ({ refusals, target }) => {
      for (const Host of [undefined, ['app.example', 'app.example']]) {
        assert.equal((await sendRaw(target, handshake('/chat', { Host }))).status, 400)
      }
      assert.deepEqual(refusals, ['HANDSHAKE_HOST', 'HANDSHAKE_HOST'])
    }
  ],

  ...each(
    [
      ['/chat', { Origin: 'null' }, 403, 'close'],
      ['/chat', { 'Sec-WebSocket-Version': '8' }, 426, 'close, Upgrade'],
      ['/guarded', {}, 401, 'close'],
      ['/throws', {}, 500, 'close'],
      ['/unknown', {}, 404, 'close']
    ] as [string, Record<string, string>, number, string][],
    (path, sent, status, connection) => [
      `a handshake at ${path} with ${JSON.stringify(sent)}, answers ${status} and closes the connection`,
      async ({ target }) => {
        const response = await sendRaw(target, handshake(path, sent))
        assert.deepEqual([response.status, response.fields.get('connection')], [status, [connection]])
        assert.deepEqual(response.fields.get('upgrade'), status === 426 ? ['websocket'] : undefined)
      }
    ]
  )
])

const ordinary: readonly Check[] = prefixed('answers as an ordinary request', [
  [
    'a GET at an endpoint with 426, and keeps the connection',
    async ({ target }) => {
      const response = await sendRaw(target, `GET /chat HTTP/1.1\r\nHost: app.example\r\n\r\n${last}`)
      assert.equal(response.status, 426)
      assert.deepEqual(response.fields.get('upgrade'), ['websocket'])
      assert.deepEqual(response.fields.get('connection'), ['Upgrade'])
      assert.match(response.rest, /WebSocket endpoint.*HTTP\/1\.1 200 .*plain/s)
    }
  ],

  [
    'a handshake at an ordinary route',
    async ({ target }) => {
      const plain = await sendRaw(target, handshake('/plain'))
      assert.equal(plain.status, 200)
      assert.match(plain.rest, /plain/)
      assert.deepEqual(plain.fields.get('connection'), ['close'])
    }
  ],

  ...each(
    [
      ['GET with Upgrade: h2c', upgrade('GET', 'h2c', '/plain', 'HTTP2-Settings: AAMAAABkAAQAAP__\r\n')],
      ['GET with Upgrade: TLS/1.0', upgrade('GET', 'TLS/1.0', '/plain')],
      ['POST with Upgrade: h2c and a body', `${upgrade('POST', 'h2c', '/plain', 'Content-Length: 5\r\n')}hello`],
      [
        'POST with Upgrade: foo/1 and a chunked body',
        `${upgrade('POST', 'foo/1', '/plain', 'Transfer-Encoding: chunked\r\n')}5\r\nhello\r\n0\r\n\r\n`
      ],
      ['POST with Upgrade: websocket', `${upgrade('POST', 'websocket', '/plain', 'Content-Length: 5\r\n')}hello`]
    ] as [string, string][],
    (what, bytes) => [
      `${what}, and keeps the connection`,
      async ({ open }) => {
        const raw = await open()
        raw.write(bytes)
        assert.match(await read(raw, responseEnded), isPage)
        raw.write(last)
        assert.match(await read(raw, responseEnded), isPage)
      }
    ]
  ),

  [
    'a GET with Upgrade: h2c and the request pipelined behind it',
    async ({ target }) => {
      const response = await sendRaw(target, upgrade('GET', 'h2c', '/plain') + last)
      assert.match(response.rest, /plain.*HTTP\/1\.1 200 .*plain/s)
    }
  ],

  [
    'a request for another protocol whose body arrives later',
    async ({ open }) => {
      const raw = await open()
      raw.write(upgrade('POST', 'h2c', '/plain', 'Content-Length: 10\r\n'))
      raw.write('hello')
      await new Promise(setImmediate)
      raw.write('world')
      assert.match(await read(raw, responseEnded), isPage)
      raw.write(last)
      assert.match(await read(raw, responseEnded), isPage)
    }
  ],

  [
    'a handshake over HTTP/1.0, with 405 at an endpoint',
    async ({ target }) => {
      const old = (path: string) => handshake(path).replace('HTTP/1.1', 'HTTP/1.0')
      const response = await sendRaw(target, old('/chat'))
      assert.equal(response.status, 405)
      assert.deepEqual(response.fields.get('allow'), ['GET'])
      assert.equal((await sendRaw(target, old('/plain'))).status, 200)
    }
  ],

  [
    'a handshake with a body, whose further bytes are not frames',
    async ({ open }) => {
      const raw = await open()
      raw.write(`${handshake('/chat', { 'Content-Length': '5' })}hello`)
      assert.match(await read(raw, (text) => text.includes('WebSocket endpoint')), /^HTTP\/1\.1 426 /)
      raw.write(last)
      assert.match(await read(raw), /HTTP\/1\.1 200 .*plain/s)
    }
  ]
])

const containing: readonly Check[] = each(
  [
    ['a reset', reset],
    ['an end', (raw) => raw.destroy()],
    ['a half-close', (raw) => Object.assign(raw.resume(), { allowHalfOpen: true }).end()]
  ] as [string, (raw: Socket) => unknown][],
  (how, end) => [
    `contains ${how} in a request for another protocol`,
    async (fixture) => {
      const { faults, target, close, open } = fixture
      const isOpen = await openOther(fixture)
      const raw = await open()
      raw.write(`${upgrade('POST', 'h2c', '/plain', 'Content-Length: 9\r\n')}half`)
      await end(raw)
      assert.equal((await sendRaw(target, handshake('/chat'), headArrived)).status, 101)
      await isOpen()
      assert.deepEqual(faults, [])
      await close()
    }
  ]
)

/** What only HTTP/1.1 has, byte by byte. */
export const onHttp1: readonly Check[] = prefixed('on the wire', [
  ...accepting,
  ...refusing,
  ...ordinary,
  ...containing
])
