import { Malformed, Responses } from '../src/responses.ts'
import { ServerFrames } from '../src/server-frames.ts'

/** Parses an answer in one piece, then again byte by byte. */
function read(
  text: string,
  method: string | undefined = 'GET'
): { statuses: number[]; isPartial: boolean; rest: string } {
  const [whole, single] = [[text], [...text]].map((pieces) => {
    const responses = new Responses(() => method)
    const rest = pieces.map((piece) => responses.push(piece)).join('')
    const { isPartial } = responses
    responses.end()
    return { statuses: responses.complete.map(({ status }) => status), isPartial, rest }
  })
  expect(single).toEqual(whole)
  return whole as ReturnType<typeof read>
}

const head = (status: string, fields = ''): string => `HTTP/1.1 ${status}\r\n${fields}\r\n`

describe('the reader of responses', () => {
  test.each<[what: string, text: string, statuses: number[]]>([
    ['a length', `${head('404 Not Found', 'Content-Length: 2\r\n')}hi`, [404]],
    ['chunks', `${head('200 OK', 'Transfer-Encoding: chunked\r\n')}2\r\nhi\r\n0\r\n\r\n`, [200]],
    ['no body', head('304 Not Modified'), [304]],
    ['one after the other', `${head('200 OK', 'Content-Length: 0\r\n')}${head('204 No Content')}`, [200, 204]],
    ['an interim one', `${head('100 Continue')}${head('200 OK', 'Content-Length: 0\r\n')}`, [200]],
    ['everything until the end', `${head('200 OK')}all of it`, [200]]
  ])('parses %s', (_what, text, statuses) => {
    expect(read(text).statuses).toEqual(statuses)
  })

  test('parses an answer to HEAD, with a body or without one', () => {
    const refusal = head('431 Too Large', 'Content-Length: 2\r\n')
    expect(read(refusal + head('204 No Content'), 'HEAD').statuses).toEqual([431, 204])
    expect(read(`${refusal}hi${head('204 No Content')}`, 'HEAD').statuses).toEqual([431, 204])
  })

  test('returns what follows a 101', () => {
    expect(read(`${head('101 Switching Protocols')}frames`)).toEqual({
      statuses: [101],
      isPartial: false,
      rest: 'frames'
    })
  })

  test.each([
    ['a head', 'HTTP/1.1 200 OK\r\nDa'],
    ['a body', `${head('200 OK', 'Content-Length: 2\r\n')}h`],
    ['chunks', `${head('200 OK', 'Transfer-Encoding: chunked\r\n')}2\r\nhi\r\n`]
  ])('knows that half of %s is incomplete', (_what, text) => {
    expect(read(text)).toMatchObject({ statuses: [], isPartial: true })
  })

  test.each([
    ['a page', '<html>'],
    ['another version', head('200 OK').replace('1.1', '1.0')],
    ['an invalid status', head('99 No')],
    ['a field without a name', head('200 OK', ': a\r\n')],
    ['a field with a line break', head('200 OK', 'A: b\rC: d\r\n')],
    ['two lengths', head('200 OK', 'Content-Length: 0\r\nContent-Length: 0\r\n')],
    ['a length on a 101', head('101 Switching Protocols', 'Content-Length: 0\r\n')],
    ['a chunk without a size', `${head('200 OK', 'Transfer-Encoding: chunked\r\n')}x\r\n`]
  ])('does not accept %s', (_what, text) => {
    expect(() => read(text)).toThrow(Malformed)
  })
})

describe('the reader of frames', () => {
  const push = (text: string, compresses = false): ServerFrames => {
    for (const pieces of [[text], [...text]]) {
      const frames = new ServerFrames(compresses)
      for (const piece of pieces) frames.push(piece)
      if (pieces.length === 1) continue
      return frames
    }
    throw new Error('unreachable')
  }

  test.each([
    ['a message', '\x81\x02hi\x82\x00'],
    ['a long message', `\x82\x7e\x00\x80${'a'.repeat(128)}`],
    ['a longer message', `\x82\x7f\0\0\0\0\0\x01\0\0${'a'.repeat(65_536)}\x89\x00`],
    ['a compressed message', '\xc1\x01a']
  ])('parses %s', (what, text) => {
    expect(push(text, what.includes('compressed')).closed).toBe(false)
  })

  test('sees a close frame', () => {
    expect(push('\x81\x02hi\x88\x02\x03\xe8').closed).toBe(true)
  })

  test.each([
    ['a masked frame', '\x81\x80\0\0\0\0'],
    ['an unknown opcode', '\x83\x00'],
    ['reserved bits', '\xc1\x00'],
    ['a fragmented ping', '\x09\x00'],
    ['a long ping', '\x89\x7e\x00\x80'],
    ['bytes after a close frame', '\x88\x00\x81'],
    ['an error page', 'HTTP/1.1 500']
  ])('does not accept %s', (_what, text) => {
    expect(() => push(text)).toThrow(Malformed)
  })
})
