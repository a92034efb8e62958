import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connectTopics } from '@oneport/client'
import { serveTopics } from '@oneport/core'
import { createTopics } from '@oneport/topics'

test('a stream is read whose lines end with CR LF, as those of some servers do', async () => {
  const topics = createTopics({ history: {} })
  for (const text of ['a', 'b\nc', 'd\re', '']) topics.publish('news', text)
  const server = createServer((req, res) => {
    const write = res.write.bind(res)
    // In parts that end between the two.
    res.write = (chunk: unknown) => {
      const parts = String(chunk)
        .replaceAll('\n', '\r\n')
        .split(/(?=\n)/)
      for (const part of parts) write(part)
      return true
    }
    void serveTopics(req, res, topics, { mayRead: () => true, mayPublish: () => true })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const client = connectTopics(`http://127.0.0.1:${port}/topics`, { transports: ['stream'] })
  try {
    const got: unknown[] = []
    await new Promise<void>((resolve) =>
      client.subscribe('news', (text) => got.push(text) === 4 && resolve(), { since: 'all' })
    )
    expect(got).toEqual(['a', 'b\nc', 'd\re', ''])
  } finally {
    client.close()
    server.closeAllConnections()
    await once(server.close(), 'close')
    await topics.close()
  }
})
