import type { TopicsOptions } from '@oneport/client'
import { describeWith } from '@oneport/test-kit'
import { describeInAll, type InAll } from './browsers.ts'
import { openLine } from './line.ts'
import { openNews } from './news.ts'
import { openPage, sawAll } from './page.ts'
import { plainNginx } from './proxies.ts'

jest.setTimeout(60_000)

/** As many networks do after 30 s. The delays of the client are shorter to match. */
const cutMs = 1_000
const delays: TopicsOptions = { stableMs: 100, minDelayMs: 100 }

/** How many connections are cut before the pages are looked at. */
const enough = 10

/** @returns what pages have seen whose connections were cut on the way to a port */
async function seenBehind(inAll: InAll, portFor: (port: number) => Promise<number>, options: TopicsOptions = {}) {
  const news = await openNews(5)
  const line = await openLine(await portFor(news.port), cutMs)
  return inAll(async (browser) => {
    await openPage(browser, line.port, { ...delays, ...options })
    await line.hasCut(enough)
    return sawAll(browser, news.count + 100)
  })
}

describeInAll('where each connection is cut after a while', (inAll) => {
  test('topics over WebSockets lose and double nothing', async () => {
    for (const { faults, transports } of await seenBehind(inAll, async (port) => port)) {
      expect(faults).toEqual([])
      expect(transports).toContain('websocket')
    }
  })

  describeWith(plainNginx.program, 'and no WebSocket is passed on', () => {
    test('topics over streams lose and double nothing', async () => {
      for (const { faults, transports } of await seenBehind(inAll, plainNginx.start)) {
        expect(faults).toEqual([])
        expect(transports).toContain('stream')
      }
    })

    test('topics over polls lose and double nothing', async () => {
      const seen = await seenBehind(inAll, plainNginx.start, { transports: ['poll'] })
      for (const { faults, transports } of seen) {
        expect(faults).toEqual([])
        expect(transports).toContain('poll')
      }
    })
  })
})
