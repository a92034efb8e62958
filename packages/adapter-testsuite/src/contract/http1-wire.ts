import type { Socket } from 'node:net'
import { handshake, headArrived, openRaw, reset, sendRaw } from '../parts/raw-client.ts'
import { accepted } from '../parts/ws-client.ts'
import type { Subject } from './subject.ts'

/** What is HTTP/1.1's own, byte for byte. */
export function describeHttp1Wire(subject: () => Subject): void {
  describe('over HTTP/1.1', () => {
    const raws: Socket[] = []

    afterEach(() => {
      for (const raw of raws.splice(0)) raw.destroy()
    })

    const open = async () => {
      const raw = await openRaw(subject().target)
      raws.push(raw)
      return raw
    }

    describe('accepts', () => {
      test('the handshake of RFC 6455 with its accept value and subprotocol', async () => {
        const response = await sendRaw(
          subject().target,
          handshake('/chat', { 'Sec-WebSocket-Protocol': 'chat, superchat' }),
          headArrived
        )
        expect(response.status).toBe(101)
        expect(response.text).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/)
        expect(response.fields.get('upgrade')).toEqual(['websocket'])
        expect(response.fields.get('connection')).toEqual(['Upgrade'])
        expect(response.fields.get('sec-websocket-accept')).toEqual([accepted])
        expect(response.fields.get('sec-websocket-protocol')).toEqual(['chat'])
        expect(response.fields.has('content-length')).toBe(false)
        expect(response.fields.has('transfer-encoding')).toBe(false)
      })

      test.each([
        ['Connection as a list in any case', { Connection: 'keep-alive, UPGRADE' }],
        ['Connection twice', { Connection: ['keep-alive', 'upgrade'] }],
        ['Upgrade as a list in any case', { Upgrade: 'other, WebSocket' }],
        ['Upgrade twice', { Upgrade: ['other', 'websocket'] }]
      ])('%s', async (_what, sent) => {
        const response = await sendRaw(subject().target, handshake('/chat', sent), headArrived)
        expect(response.status).toBe(101)
        expect(response.fields.get('sec-websocket-accept')).toEqual([accepted])
      })

      test('after a request with a body on the same connection', async () => {
        const raw = await open()
        raw.write('POST /plain HTTP/1.1\r\nHost: app.example\r\nContent-Length: 5\r\n\r\nhello')
        await readUntil(raw, responseEnded)
        raw.write(handshake('/chat'))
        expect(await readUntil(raw, headArrived)).toMatch(/^HTTP\/1\.1 101 /)
      })

      test('pipelined behind a request that is still being answered', async () => {
        const raw = await open()
        raw.write(`GET /plain HTTP/1.1\r\nHost: app.example\r\n\r\n${handshake('/chat')}`)
        const text = await readUntil(raw, (all) => all.includes(accepted))
        expect(text).toMatch(/^HTTP\/1\.1 200 .*plain.*HTTP\/1\.1 101 /s)
      })
    })

    describe('refuses', () => {
      test.each([
        ['a missing key', undefined],
        ['a short key', 'c2hvcnQ='],
        ['two keys', [...'ab'].map(() => 'x3JJHMbDL1EzLkh9GBhXDw==')]
      ])('%s', async (_what, key) => {
        const { refusals, target } = subject()
        const response = await sendRaw(target, handshake('/chat', { 'Sec-WebSocket-Key': key }))
        expect(response.status).toBe(400)
        expect(refusals.map((error) => error.code)).toEqual(['HANDSHAKE_KEY'])
      })

      test('the handshake of the draft with two keys', async () => {
        const { refusals, target } = subject()
        const response = await sendRaw(
          target,
          handshake('/chat', {
            'Sec-WebSocket-Version': undefined,
            'Sec-WebSocket-Key': undefined,
            'Sec-WebSocket-Key1': '18x 6]8vM;54 *(5:  {   U1]8  z [  8',
            'Sec-WebSocket-Key2': '1_ tx7X d  <  nw  334J702) 7]o}` 0'
          })
        )
        expect(response.status).toBe(426)
        expect(refusals.map((error) => error.code)).toEqual(['HANDSHAKE_VERSION'])
      })

      test('a handshake without Host, and one with two', async () => {
        const { refusals, target } = subject()
        for (const Host of [undefined, ['app.example', 'app.example']]) {
          expect((await sendRaw(target, handshake('/chat', { Host }))).status).toBe(400)
        }
        expect(refusals.map((error) => error.code)).toEqual(['HANDSHAKE_HOST', 'HANDSHAKE_HOST'])
      })

      test.each([
        ['/chat', { Origin: 'null' }, 403, 'close'],
        ['/chat', { 'Sec-WebSocket-Version': '8' }, 426, 'close, Upgrade'],
        ['/guarded', {}, 401, 'close'],
        ['/throws', {}, 500, 'close'],
        ['/unknown', {}, 404, 'close']
      ])('at %s with %j: the answer is %i, and the connection ends', async (path, sent, status, connection) => {
        const response = await sendRaw(subject().target, handshake(path, sent))
        expect([response.status, response.fields.get('connection')]).toEqual([status, [connection]])
        expect(response.fields.get('upgrade')).toEqual(status === 426 ? ['websocket'] : undefined)
      })
    })

    describe('answers as the ordinary request that it is', () => {
      test('a GET at an endpoint with 426, and keeps the connection', async () => {
        const response = await sendRaw(
          subject().target,
          'GET /chat HTTP/1.1\r\nHost: app.example\r\n\r\nGET /plain HTTP/1.1\r\nHost: app.example\r\nConnection: close\r\n\r\n'
        )
        expect(response.status).toBe(426)
        expect(response.fields.get('upgrade')).toEqual(['websocket'])
        expect(response.fields.get('connection')).toEqual(['Upgrade'])
        expect(response.rest).toMatch(/WebSocket endpoint.*HTTP\/1\.1 200 .*plain/s)
      })

      test('a handshake at an ordinary route', async () => {
        const plain = await sendRaw(subject().target, handshake('/plain'))
        expect(plain.status).toBe(200)
        expect(plain.rest).toContain('plain')
        expect(plain.fields.get('connection')).toEqual(['close'])
      })

      const last = 'GET /plain HTTP/1.1\r\nHost: app.example\r\nConnection: close\r\n\r\n'

      test.each([
        ['GET with Upgrade: h2c', upgrade('GET', 'h2c', '/plain', 'HTTP2-Settings: AAMAAABkAAQAAP__\r\n')],
        ['GET with Upgrade: TLS/1.0', upgrade('GET', 'TLS/1.0', '/plain')],
        ['POST with Upgrade: h2c and a body', `${upgrade('POST', 'h2c', '/plain', 'Content-Length: 5\r\n')}hello`],
        [
          'POST with Upgrade: foo/1 and a chunked body',
          `${upgrade('POST', 'foo/1', '/plain', 'Transfer-Encoding: chunked\r\n')}5\r\nhello\r\n0\r\n\r\n`
        ],
        ['POST with Upgrade: websocket', `${upgrade('POST', 'websocket', '/plain', 'Content-Length: 5\r\n')}hello`]
      ])('%s, and keeps the connection', async (_what, bytes) => {
        const raw = await open()
        raw.write(bytes)
        expect(await readUntil(raw, responseEnded)).toMatch(/^HTTP\/1\.1 200 .*plain/s)
        raw.write(last)
        expect(await readUntil(raw, responseEnded)).toMatch(/^HTTP\/1\.1 200 .*plain/s)
      })

      test('a GET with Upgrade: h2c and the request that is pipelined behind it', async () => {
        const response = await sendRaw(subject().target, upgrade('GET', 'h2c', '/plain') + last)
        expect(response.rest).toMatch(/plain.*HTTP\/1\.1 200 .*plain/s)
      })

      test('a request for another protocol whose body comes later', async () => {
        const raw = await open()
        raw.write(upgrade('POST', 'h2c', '/plain', 'Content-Length: 10\r\n'))
        raw.write('hello')
        await new Promise(setImmediate)
        raw.write('world')
        expect(await readUntil(raw, responseEnded)).toMatch(/^HTTP\/1\.1 200 .*plain/s)
        raw.write(last)
        expect(await readUntil(raw, responseEnded)).toMatch(/^HTTP\/1\.1 200 .*plain/s)
      })

      test('a handshake over HTTP/1.0, with 405 at an endpoint', async () => {
        const old = (path: string) => handshake(path).replace('HTTP/1.1', 'HTTP/1.0')
        const response = await sendRaw(subject().target, old('/chat'))
        expect(response.status).toBe(405)
        expect(response.fields.get('allow')).toEqual(['GET'])
        expect((await sendRaw(subject().target, old('/plain'))).status).toBe(200)
      })

      test('a handshake with a body: the bytes after it are not frames', async () => {
        const bytes = handshake('/chat', { 'Content-Length': '5' })
        const raw = await open()
        raw.write(`${bytes}hello`)
        expect(await readUntil(raw, (text) => text.includes('WebSocket endpoint'))).toMatch(/^HTTP\/1\.1 426 /)
        raw.write(last)
        expect(await readUntil(raw, () => false)).toMatch(/HTTP\/1\.1 200 .*plain/s)
      })
    })

    test.each([
      ['a reset', reset],
      ['an end', (raw: Socket) => raw.destroy()],
      ['a half-close', (raw: Socket) => Object.assign(raw.resume(), { allowHalfOpen: true }).end()]
    ])('contains %s in a request for another protocol', async (_way, end) => {
      const { client, faults, running, target } = subject()
      const other = await client.connect('/chat')
      const raw = await open()
      raw.write(`${upgrade('POST', 'h2c', '/plain', 'Content-Length: 9\r\n')}half`)
      await end(raw)
      expect((await sendRaw(target, handshake('/chat'), headArrived)).status).toBe(101)
      other.socket.send('still here')
      expect(await other.next()).toBe('still here')
      expect(faults).toEqual([])
      await running.close()
    })
  })
}

/** The head of a request for another protocol. */
const upgrade = (method: string, protocol: string, path: string, more = ''): string =>
  `${method} ${path} HTTP/1.1\r\nHost: app.example\r\nUpgrade: ${protocol}\r\nConnection: Upgrade\r\n${more}\r\n`

/** Reads until `enough` says so of all that has come, or the server ends the connection. */
function readUntil(raw: Socket, enough: (text: string) => boolean): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    const take = (chunk: Buffer) => {
      text += chunk.toString('latin1')
      if (enough(text)) done()
    }
    const done = () => {
      raw.off('data', take).off('end', done).off('close', done)
      resolve(text)
    }
    raw.on('data', take).once('end', done).once('close', done)
  })
}

/** Whether a response with a short body in one piece or one chunk has come in whole. */
const responseEnded = (text: string): boolean =>
  /\r\n\r\n.*plain/s.test(text) && !/chunked(?!.*\r\n0\r\n\r\n$)/is.test(text)
