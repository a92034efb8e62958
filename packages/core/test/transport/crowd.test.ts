import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { handshake, headArrived } from '@oneport/test-kit'
import { acceptWebSocket } from '../../src/index.ts'
import { open, read, serve, stopAll } from '../server.ts'

afterEach(stopAll)

const slow = 'GET /slow HTTP/1.1\r\nHost: app.example\r\n\r\n'

test('regression: an effectiveRequest that throws ended the process if a handshake was pipelined', async () => {
  const faults: unknown[] = []
  let answer = (): void => {}
  const arrived = new Promise<void>((resolve) => {
    answer = resolve
  })
  const { target, attachment } = await serve(
    (req, res) => {
      if (req.url !== '/slow') return acceptWebSocket(req, res, () => {})
      answer()
      return setImmediate(() => res.end('slow'))
    },
    {
      onError: (error) => void faults.push((error as Error).message),
      effectiveRequest: () => {
        throw new Error('no such field')
      }
    }
  )
  const raw = await open(target)
  raw.write(slow + handshake('/'))
  await arrived
  expect(await read(raw)).toMatch(/ 200 .* 500 /s)
  expect(faults).toEqual(['no such field'])
  expect(attachment.stats().pending).toBe(0)
})

test('regression: handshakes behind unfinished responses took the places of all other clients', async () => {
  const { target } = await serve(
    (req, res) => (req.url === '/slow' ? undefined : acceptWebSocket(req, res, () => {})),
    { maxPendingHandshakes: 4 }
  )
  const crowd = await Promise.all(Array.from({ length: 12 }, () => open(target)))
  for (const raw of crowd) raw.write(slow + handshake('/'))
  const other: Socket = connect({ port: target.port, host: '127.0.0.1', localAddress: '127.0.0.2' })
  await once(other, 'connect')
  other.write(handshake('/'))
  expect(await read(other, headArrived)).toContain(' 101 ')
  other.destroy()
})
