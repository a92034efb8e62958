import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connectTopics } from '@oneport/client'
import { serveTopics } from '@oneport/core'
import { createTopics } from '@oneport/topics'

test('topics go over polls once a stream has been held back for ten seconds', async () => {
  const topics = createTopics({ history: {} })
  topics.publish('news', 'a')
  const server = createServer((req, res) => {
    if (req.headers.accept === 'text/event-stream') {
      // A proxy that keeps everything back until the response has ended.
      res.write = () => true
      res.once('close', () => server.emit('stream given up'))
      server.emit('stream')
    }
    void serveTopics(req, res, topics, { mayRead: () => true, mayPublish: () => true })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate', 'setInterval', 'performance'] })
  const asked = once(server, 'stream')
  const client = connectTopics(`http://127.0.0.1:${port}/topics`, { transports: ['stream', 'poll'] })
  const got = new Promise((resolve) => client.subscribe('news', resolve, { since: 'all' }))
  try {
    await asked
    await jest.advanceTimersByTimeAsync(9_999)
    expect(client.state).toBe('connecting')
    const givenUp = once(server, 'stream given up')
    jest.advanceTimersByTime(1)
    await givenUp
    expect(await got).toBe('a')
    expect([client.state, client.transport]).toEqual(['open', 'poll'])
  } finally {
    client.close()
    jest.useRealTimers()
    server.closeAllConnections()
    await once(server.close(), 'close')
    await topics.close()
  }
})
