import type { TopicsOptions } from '@oneport/client'
import { describeInOnline } from './browsers.ts'
import { openLine } from './line.ts'
import { openNews } from './news.ts'
import { openPage, sawAll } from './page.ts'

jest.setTimeout(60_000)

/** Only what the browser says of the network makes a client look whether its connection lives. */
const options: TopicsOptions = { heartbeat: { intervalMs: 3_600_000, timeoutMs: 300, ping: 'ping' } }

/** Over plain HTTP, silence alone is noticed after 40 s. */
const soonMs = 30_000

describeInOnline('without a network for a while', (inAll) => {
  test.each(['websocket', 'stream', 'poll'] as const)(
    'topics over %s go on when it is back, and nothing is lost or doubled',
    async (transport) => {
      const news = await openNews(5, { heartbeat: { intervalMs: 200, timeoutMs: 200 } })
      const line = await openLine(news.port)
      await inAll((browser) => openPage(browser, line.port, { ...options, transports: [transport] }))
      await inAll((browser) => browser.setOffline(true))
      line.silence()
      await news.deserted()
      await news.more(200)
      line.restore()
      await inAll((browser) => browser.setOffline(false))
      for (const { faults, transports } of await inAll((browser) => sawAll(browser, news.count + 100))) {
        expect(faults).toEqual([])
        expect(transports.at(-1)).toBe(transport)
      }
    },
    soonMs
  )
})
