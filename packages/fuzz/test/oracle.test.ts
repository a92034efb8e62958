import { type Draft, handshakeDraft, write } from '../src/draft.ts'
import { couldBeHandshake, judge } from '../src/oracle.ts'
import { readRequests } from '../src/requests.ts'

/** The oracle's verdict on a handshake after a change. */
function verdict(change: (draft: Draft) => void, target = '/echo'): string {
  const draft = handshakeDraft(target)
  change(draft)
  const [request] = readRequests(write(draft)).requests
  return request === undefined ? 'unclear' : judge(request).kind
}

const set =
  (name: string, ...values: string[]) =>
  (draft: Draft): void => {
    draft.fields = [
      ...draft.fields.filter(([one]) => one !== name),
      ...values.map((value): [string, string] => [name, value])
    ]
  }

describe('a handshake', () => {
  test.each<[what: string, change: (draft: Draft) => void]>([
    ['that is valid', () => {}],
    ['in another order', (draft) => void draft.fields.reverse()],
    ['with a second protocol', set('Upgrade', 'h2c, WebSocket')],
    ['with other options', set('Connection', 'keep-alive, upgrade')],
    ['of the same origin', set('Origin', 'http://app.example')],
    ['with subprotocols', set('Sec-WebSocket-Protocol', 'a, b')],
    ['with extensions', set('Sec-WebSocket-Extensions', 'permessage-deflate; client_max_window_bits')]
  ])('%s must get 101', (_what, change) => {
    expect(verdict(change)).toBe('required')
  })

  test.each<[what: string, change: (draft: Draft) => void]>([
    ['by POST', (draft) => void Object.assign(draft, { method: 'POST' })],
    ['by HTTP/1.0', (draft) => void Object.assign(draft, { version: 'HTTP/1.0' })],
    ['for *', (draft) => void Object.assign(draft, { target: '*' })],
    ['for an authority', (draft) => void Object.assign(draft, { target: 'app.example:80' })],
    ['without Host', set('Host')],
    ['with two Host fields', set('Host', 'app.example', 'app.example')],
    ['with a malformed Host', set('Host', 'a/b')],
    ['without Upgrade', set('Upgrade')],
    ['for another protocol', set('Upgrade', 'websocketx')],
    ['without the option Upgrade', set('Connection', 'keep-alive')],
    ['without a key', set('Sec-WebSocket-Key')],
    ['with two keys', set('Sec-WebSocket-Key', 'x3JJHMbDL1EzLkh9GBhXDw==', 'x3JJHMbDL1EzLkh9GBhXDw==')],
    ['with a key of 15 bytes', set('Sec-WebSocket-Key', 'AAAAAAAAAAAAAAAAAAAA')],
    ['without a version', set('Sec-WebSocket-Version')],
    ['of version 8', set('Sec-WebSocket-Version', '8')],
    ['of two versions', set('Sec-WebSocket-Version', '13', '13')],
    ['of another origin', set('Origin', 'https://evil.example')],
    ['of two origins', set('Origin', 'http://app.example', 'http://app.example')],
    ['with malformed extensions', set('Sec-WebSocket-Extensions', 'a@b')],
    ['with no extension in the list', set('Sec-WebSocket-Extensions', ',')],
    ['with malformed subprotocols', set('Sec-WebSocket-Protocol', 'a b')],
    ['with a subprotocol twice', set('Sec-WebSocket-Protocol', 'a, a')],
    [
      'with content',
      (draft) => {
        draft.fields.push(['Content-Length', '2'])
        draft.body = 'hi'
      }
    ]
  ])('%s must not get 101', (_what, change) => {
    expect(verdict(change)).toBe('forbidden')
  })

  test.each<[what: string, change: (draft: Draft) => void, target: string]>([
    ['with an unknown field', set('X-Any', '1'), '/echo'],
    ['with a key that is not canonical base64', set('Sec-WebSocket-Key', 'AAAAAAAAAAAAAAAAAAAAAB=='), '/echo'],
    ['at an unknown path', () => {}, '/missing'],
    ['of version 8 at the path of another listener', set('Sec-WebSocket-Version', '8'), '/theirs'],
    ['with a tab', set('Connection', '\tUpgrade'), '/echo']
  ])('%s may get 101', (_what, change, target) => {
    expect(verdict(change, target)).toBe('permitted')
  })
})

describe('the bytes', () => {
  const one = write(handshakeDraft('/echo'))
  const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'

  test.each<[what: string, text: string, count: number, rest: string]>([
    ['of a handshake', one, 1, 'nothing'],
    ['of a handshake after empty lines', `\r\n\r\n${one}`, 1, 'nothing'],
    ['of requests in front of a handshake', get + get + one, 3, 'nothing'],
    ['after a handshake are frames', `${one}GET`, 1, 'frames'],
    ['after the last handshake of a connection are frames', `${one.replace(': Up', ': close, Up')}GET`, 1, 'frames'],
    ['of half a request', get + get.slice(0, 20), 1, 'incomplete'],
    ['of content that has not arrived', 'POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhi', 1, 'incomplete'],
    ['of content', `POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi${get}`, 2, 'nothing'],
    ['of chunks', `POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n${get}`, 2, 'nothing'],
    ['of two lengths', 'POST / HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi', 0, 'unclear'],
    ['with a lone line feed', one.replace('\r\n', '\n'), 0, 'unclear'],
    ['with a folded line', one.replace('Host: ', 'Host:\r\n '), 0, 'unclear'],
    ['with NUL', one.replace('app', '\0'), 0, 'unclear'],
    ['after a request that ends the connection', `GET / HTTP/1.0\r\n\r\n${one}`, 1, 'unclear'],
    ['of a method that servers may not know', `${one.replace('GET', 'GETS')}${one}`, 1, 'unclear']
  ])('%s', (_what, text, count, rest) => {
    const reading = readRequests(text)
    expect([reading.requests.length, reading.rest]).toEqual([count, rest])
  })

  test('that are ambiguous can be a handshake only if they contain all its parts', () => {
    expect(couldBeHandshake(one.replaceAll('\r\n', '\n'))).toBe(true)
    for (const part of ['GET', 'Host', 'Sec-WebSocket-Key', '13'])
      expect(couldBeHandshake(one.replace(part, ''))).toBe(false)
  })
})
