import { once } from 'node:events'
import { closeCodeIn, maskedText, serverText } from '../parts/frames.ts'
import { closed } from '../parts/ws-client.ts'
import { answerTo, type Exchange, type Fields } from './client.ts'
import type { Subject } from './subject.ts'

/** What is the same on every version of HTTP. */
export function describeBehaviour(subject: () => Subject): void {
  describe('accepts', () => {
    test('messages in both directions', async () => {
      const { socket, next } = await subject().client.connect('/chat')
      socket.send('hello')
      expect(await next()).toBe('hello')
    })

    test.each(['its own origin', 'no Origin, as clients other than browsers'])('%s', async (label) => {
      const { client, target } = subject()
      const own = { Origin: `${target.tls ? 'https' : 'http'}://app.example` }
      const exchange = await client.send('/chat', label === 'its own origin' ? own : {})
      expect((await exchange.head()).status).toBe(client.accepted)
    })

    test.each([
      ['the first subprotocol of the server that the client offers', 'other, chat.v1, chat', ['chat']],
      ['a handshake without a subprotocol in common, and names none', 'toString', undefined]
    ])('%s', async (_what, offered, chosen) => {
      const { client } = subject()
      const exchange = await client.send('/chat', { 'Sec-WebSocket-Protocol': offered })
      const { status, fields } = await exchange.head()
      expect(status).toBe(client.accepted)
      expect(fields.get('sec-websocket-protocol')).toEqual(chosen)
    })

    test('with the fields that middleware set', async () => {
      const { fields } = await (await subject().client.send('/chat')).head()
      expect(fields.get('x-request-id')).toEqual(['42'])
      expect(fields.get('set-cookie')).toEqual(['a=1; Path=/', 'b=2; HttpOnly'])
    })

    test('without compression by default, with it where the endpoint says so', async () => {
      const { client } = subject()
      const offer = { 'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits' }
      const plain = await (await client.send('/chat', offer)).head()
      expect(plain.status).toBe(client.accepted)
      expect(plain.fields.has('sec-websocket-extensions')).toBe(false)
      const deflated = await (await client.send('/deflate', offer)).head()
      expect(deflated.fields.get('sec-websocket-extensions')).toEqual(['permessage-deflate'])
    })

    test('and keeps a frame that came with the handshake', async () => {
      const exchange = await subject().client.send('/chat', {}, maskedText('early'))
      expect(await exchange.rest((text) => text.endsWith('early'))).toBe(serverText('early'))
    })

    test('and keeps frames that come while middleware is waiting', async () => {
      const { client, gate } = subject()
      const exchange = await client.send('/gate', {}, maskedText('one'))
      await gate.arrived
      exchange.write(maskedText('two'))
      gate.open()
      expect(await exchange.rest((text) => text.endsWith('two'))).toBe(serverText('one') + serverText('two'))
    })

    test('and keeps messages for a handler that listens late, in order', async () => {
      const { client, gate } = subject()
      const { socket, next } = await client.connect('/listens-late')
      for (const text of ['one', 'two', 'three']) socket.send(text)
      await gate.arrived
      const pong = once(socket, 'pong')
      socket.ping()
      await pong
      gate.open()
      expect([await next(), await next(), await next()]).toEqual(['one', 'two', 'three'])
      socket.send('four')
      expect(await next()).toBe('four')
    })

    test('and keeps large messages for a handler that listens late', async () => {
      const { client, gate } = subject()
      const { socket, next } = await client.connect('/listens-late')
      const texts = [...'abcdef'].map((letter) => letter.repeat(60_000))
      for (const text of texts) socket.send(text)
      await gate.arrived
      gate.open()
      for (const text of texts) expect(await next()).toBe(text)
    })

    test('and answers pings and closes in order with a handler that only sends and is not done', async () => {
      const { socket, next } = await subject().client.connect('/pushes')
      expect(await next()).toBe('pushed')
      socket.send('nobody listens')
      const pong = once(socket, 'pong')
      socket.ping()
      await pong
      const end = closed(socket)
      socket.close(4001)
      expect((await end).code).toBe(4001)
    })

    test('and reads on behind a handler that only sent, whatever comes', async () => {
      const { client, gate } = subject()
      const { socket, next } = await client.connect('/pushes')
      expect(await next()).toBe('pushed')
      const sendMuch = () => {
        for (let count = 0; count < 6; count++) socket.send('x'.repeat(60_000))
      }
      sendMuch()
      gate.open()
      sendMuch()
      const pong = once(socket, 'pong')
      socket.ping()
      await pong
      const end = closed(socket)
      socket.close(4001)
      expect((await end).code).toBe(4001)
    })

    test('and closes with the code and the reason of its handler', async () => {
      const { socket } = await subject().client.connect('/closes')
      expect(await closed(socket)).toEqual({ code: 4001, reason: 'bye' })
    })
  })

  describe('refuses', () => {
    const refusals: [what: string, fields: Fields, code: string][] = [
      ['version 12', { 'Sec-WebSocket-Version': '12' }, 'HANDSHAKE_VERSION'],
      ['version 013', { 'Sec-WebSocket-Version': '013' }, 'HANDSHAKE_VERSION'],
      ['version 13.0', { 'Sec-WebSocket-Version': '13.0' }, 'HANDSHAKE_VERSION'],
      ['version 8, which ws would take', { 'Sec-WebSocket-Version': '8' }, 'HANDSHAKE_VERSION'],
      ['two versions', { 'Sec-WebSocket-Version': ['13', '13'] }, 'HANDSHAKE_VERSION'],
      ['no version', { 'Sec-WebSocket-Version': undefined }, 'HANDSHAKE_VERSION'],
      ['a foreign origin', { Origin: 'https://evil.example' }, 'HANDSHAKE_ORIGIN'],
      ['the origin null', { Origin: 'null' }, 'HANDSHAKE_ORIGIN'],
      ['two origins', { Origin: ['http://app.example', 'http://app.example'] }, 'HANDSHAKE_ORIGIN'],
      ['malformed subprotocols', { 'Sec-WebSocket-Protocol': 'chat, super chat' }, 'HANDSHAKE_SUBPROTOCOL'],
      ['malformed extensions', { 'Sec-WebSocket-Extensions': 'x; y=;' }, 'HANDSHAKE_EXTENSION']
    ]

    test.each(refusals)('%s with a whole response', async (_what, sent, code) => {
      const { client, refusals } = subject()
      const { status, fields, body } = await answerTo(client, '/chat', sent)
      expect(refusals.map((error) => error.code)).toEqual([code])
      // A 426 needs the field Upgrade (RFC 9110 §15.5.22), which HTTP/2 does not have.
      const version = client.version === 'HTTP/2' ? 400 : 426
      expect(status).toBe(code === 'HANDSHAKE_VERSION' ? version : code === 'HANDSHAKE_ORIGIN' ? 403 : 400)
      expect(fields.get('sec-websocket-version')).toEqual(code === 'HANDSHAKE_VERSION' ? ['13'] : undefined)
      expect(fields.get('x-request-id')).toEqual(['42'])
      expect(Buffer.byteLength(body, 'latin1')).toBe(Number(fields.get('content-length')))
    })

    test('a handshake without a common subprotocol where one is required', async () => {
      const { client } = subject()
      expect((await answerTo(client, '/strict', { 'Sec-WebSocket-Protocol': 'other' })).status).toBe(400)
      const exchange = await client.send('/strict', { 'Sec-WebSocket-Protocol': 'chat' })
      const { status, fields } = await exchange.head()
      expect([status, fields.get('sec-websocket-protocol')]).toEqual([client.accepted, ['chat']])
    })

    test('what middleware refuses, with the answer of the framework, before it is accepted', async () => {
      const { status, fields, body } = await answerTo(subject().client, '/guarded')
      expect(status).toBe(401)
      expect(body).toContain('Log in first')
      expect(fields.get('x-request-id')).toEqual(['42'])
    })

    test('a handshake in front of which the application throws', async () => {
      expect((await answerTo(subject().client, '/throws')).status).toBe(500)
    })

    test('a handshake at an unknown path, with the 404 of the application', async () => {
      expect((await answerTo(subject().client, '/unknown')).status).toBe(404)
    })

    test('a handshake that is still waiting when draining begins', async () => {
      const { client, gate, refusals, running } = subject()
      const exchange = await client.send('/gate')
      await gate.arrived
      await running.drain()
      gate.open()
      const { status, fields } = await exchange.head()
      expect(status).toBe(503)
      expect(fields.get('retry-after')).toEqual([expect.stringMatching(/^\d+$/)])
      expect(refusals.map((error) => error.code)).toEqual(['HANDSHAKE_UNAVAILABLE'])
    })
  })

  describe('contains', () => {
    test.each([
      ['a handler that throws', '/handler-throws', 'handler'],
      ['a handler that rejects', '/handler-rejects', 'handler'],
      ['a listener that throws', '/listener-throws', 'listener'],
      ['a listener that rejects', '/listener-rejects', 'listener']
    ])('%s: one report, close code 1011, other connections live on', async (_what, path, phase) => {
      const { client, faults } = subject()
      const other = await client.connect('/chat')
      const { socket } = await client.connect(path)
      const end = closed(socket)
      socket.send('go')
      expect((await end).code).toBe(1011)
      expect(faults).toEqual([{ message: 'broken', phase }])
      other.socket.send('still here')
      expect(await other.next()).toBe('still here')
    })

    test.each([
      ['a frame without a mask', Buffer.from([0x81, 0x01, 0x61]), 1002],
      ['text that is not UTF-8', Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0xff]), 1007],
      ['a message that is too large', Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0, 0x10, 0, 1, 0, 0, 0, 0]), 1009]
    ])('%s: one report and its close code', async (_what, frames, code) => {
      const { client, faults } = subject()
      const exchange = await client.send('/chat', {}, frames)
      expect(closeCodeIn(await exchange.rest())).toBe(code)
      expect(faults.map(({ phase }) => phase)).toEqual(['protocol'])
    })

    test('a client that does not read what it is sent: closed with 1013', async () => {
      const exchange = await subject().client.send('/small')
      const reason = 'too much unread'
      const text = await exchange.rest((all) => all.length > 16_000_000 && all.endsWith(reason))
      expect(closeCodeIn(text, reason.length)).toBe(1013)
    })

    const ways: [string, (exchange: Exchange) => unknown][] = [
      ['a reset', (exchange) => exchange.reset()],
      ['an end', (exchange) => exchange.leave()],
      ['a half-close', (exchange) => exchange.halfClose()]
    ]
    const places: [string, path: string, fields: Fields, isWaiting: boolean][] = [
      ['while middleware is waiting', '/gate', {}, true],
      ['while the handler is at work', '/listens-late', {}, true],
      ['during a refusal', '/chat', { Origin: 'https://evil.example' }, false],
      ['in a handshake that no endpoint takes', '/unknown', {}, false]
    ]

    describe.each(ways)('%s', (_way, end) => {
      test.each(places)('%s: other connections live on, and nothing is left', async (_place, path, sent, isWaiting) => {
        const { client, faults, gate, running } = subject()
        const other = await client.connect('/chat')
        const exchange = await client.send(path, sent)
        if (isWaiting) await gate.arrived
        await end(exchange)
        const another = await client.send('/chat')
        expect((await another.head()).status).toBe(client.accepted)
        await another.leave()
        gate.open()
        other.socket.send('still here')
        expect(await other.next()).toBe('still here')
        expect(faults).toEqual([])
        await running.close()
      })
    })
  })

  test('ends the connections with 1001 when it is closed, and finishes', async () => {
    const { client, running } = subject()
    const { socket } = await client.connect('/chat')
    const end = closed(socket)
    await running.close()
    expect((await end).code).toBe(1001)
  })

  test('serves HTTP as before beside it', async () => {
    const { status, fields, body } = await subject().client.get('/plain')
    expect([status, fields.get('x-request-id'), body]).toEqual([200, ['42'], 'plain'])
  })
}
