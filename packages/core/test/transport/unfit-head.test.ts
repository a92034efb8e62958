import http from 'node:http'
import { reset } from '@oneport/test-kit'
import { open, read, serve, stopAll } from '../server.ts'

afterEach(stopAll)

const unfit = 'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade\r\nX-Field: a\0b\r\n\r\n'
const connectionsOf = (server: http.Server): Promise<number> =>
  new Promise((resolve) => server.getConnections((_error, count) => resolve(count)))

// The default parser refuses such a head itself.
test.each([
  ['a reset', reset],
  ['a half-close', (raw: Awaited<ReturnType<typeof open>>) => raw.end()],
  ['silence', () => {}]
])(
  'regression: %s after a head that cannot be put back closes the connection and does not end the process',
  async (_way, end) => {
    const { target, server } = await serve(
      (_req, res) => res.end(),
      {},
      http.createServer({ insecureHTTPParser: true })
    )
    const raw = await open(target)
    raw.allowHalfOpen = true
    raw.write(unfit)
    expect(await read(raw, (text) => text.includes('\r\n\r\n'))).toMatch(/^HTTP\/1\.1 400 /)
    await end(raw)
    while ((await connectionsOf(server)) > 0) await new Promise(setImmediate)
  }
)
