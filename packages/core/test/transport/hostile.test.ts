import { handshake, headArrived, sendRaw, takePrinted } from '@oneport/test-kit'
import { acceptWebSocket, type Dispatch } from '../../src/index.ts'
import { Deadlines } from '../../src/life/deadlines.ts'
import { Timers } from '../../src/life/timers.ts'
import { serve, stopAll } from '../server.ts'

afterEach(stopAll)

/** Answers with the path; at `/slow` a little later. `/ws` is an endpoint. */
function answering(served: string[] = []): Dispatch {
  return (req, res) => {
    served.push(`${req.method} ${req.url}`)
    if (req.url === '/ws') return acceptWebSocket(req, res, () => {})
    req.resume()
    return req.url === '/slow' ? setTimeout(() => res.end(req.url), 20) : res.end(req.url)
  }
}

const ordinary = (path: string, fields = ''): string => `GET ${path} HTTP/1.1\r\nHost: app.example\r\n${fields}\r\n`
const h2c = (path: string, fields = ''): string => ordinary(path, `Upgrade: h2c\r\nConnection: Upgrade\r\n${fields}`)

describe('a request for another protocol behind one that is still being answered', () => {
  test.each([
    ['an ordinary request', ordinary('/slow')],
    ['another request for another protocol', h2c('/slow')]
  ])('regression: its answer was lost in front of %s', async (_what, first) => {
    const { target } = await serve(answering())
    const last = ordinary('/two', 'Connection: close\r\n')
    const { text } = await sendRaw(target, first + h2c('/two') + last)
    expect(text.match(/HTTP\/1\.1 200/g)).toHaveLength(3)
  })

  test('regression: the 101 of a handshake behind it was sent in its place', async () => {
    const { target } = await serve(answering())
    const { text } = await sendRaw(target, ordinary('/slow') + h2c('/two') + handshake('/ws'), (all) =>
      all.includes(' 101 ')
    )
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200', 'HTTP/1.1 101'])
  })
})

test('an answer that waits for its reader continues in front of a request for another protocol', async () => {
  const part = Buffer.alloc(1_000_000, 'a')
  const { target } = await serve((req, res) => {
    if (req.url !== '/large') return void res.end(req.url)
    res.writeHead(200, { 'Content-Length': 20 * part.length })
    let left = 20
    const write = (): void => {
      while (left-- > 0) if (!res.write(part)) return
      res.end()
    }
    res.on('drain', write)
    write()
  })
  const last = ordinary('/two', 'Connection: close\r\n')
  const { text } = await sendRaw(target, ordinary('/large') + h2c('/two') + last)
  expect(text.match(/HTTP\/1\.1 200/g)).toHaveLength(3)
  expect(text.length).toBeGreaterThan(20 * part.length)
})

describe('a request with so many fields that Node drops some', () => {
  const many = 'a:\r\n'.repeat(1_100)

  test('security: its content is not served as a request', async () => {
    const served: string[] = []
    const { target } = await serve(answering(served))
    const smuggled = ordinary('/smuggled', 'Connection: close\r\n')
    const { status } = await sendRaw(target, h2c('/two', `${many}Content-Length: ${smuggled.length}\r\n`) + smuggled)
    expect(served).not.toContain('GET /smuggled')
    expect(status).toBe(431)
  })

  test('security: is not accepted, because a second key or content may be among them', async () => {
    const { target } = await serve(answering())
    const bytes = handshake('/ws').replace(/\r\n$/, `${many}Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\n\r\n`)
    expect((await sendRaw(target, bytes, headArrived)).status).toBe(431)
  })
})

test('regression: a tab after "Upgrade", which Node 20 does not find then, was logged as a server that is not attached', async () => {
  const { target } = await serve(answering())
  const { status } = await sendRaw(target, handshake('/ws', { Connection: 'Upgrade\t' }), headArrived)
  // From Node 22 on it is found.
  const found = Number.parseInt(process.versions.node, 10) >= 22
  expect([status, takePrinted()]).toEqual([found ? 101 : 426, []])
})

test('regression: each handshake that expired while another one waited left a timer running', () => {
  jest.useFakeTimers()
  const pending = new Deadlines(100, new Timers())
  for (let count = 0; count < 50; count++) {
    pending.add({ expire: () => true, due: undefined, inFront: undefined, behind: undefined }, performance.now())
    jest.advanceTimersByTime(10)
  }
  jest.advanceTimersByTime(1_000)
  expect(jest.getTimerCount()).toBe(1)
  jest.useRealTimers()
})
