import { describeWith } from '@oneport/test-kit'
import { describeInAll } from './browsers.ts'
import { openNews } from './news.ts'
import { openPage, sawAll } from './page.ts'
import { bufferingNginx } from './proxies.ts'

jest.setTimeout(60_000)

describeInAll('behind nginx that buffers all responses', (inAll) => {
  describeWith(bufferingNginx.program, 'topics', () => {
    test('go over polls if a stream is held back, and nothing is lost or doubled', async () => {
      const news = await openNews(1_000)
      const port = await bufferingNginx.start(news.port)
      const seen = await inAll(async (browser) => {
        await openPage(browser, port, {}, 1_000)
        return sawAll(browser, news.count + 3)
      })
      for (const { faults, transports } of seen) {
        expect(faults).toEqual([])
        expect(transports).toEqual(['poll'])
      }
    })

    test('come in lumps if there is enough of them, and nothing is lost or doubled', async () => {
      const news = await openNews(2)
      const port = await bufferingNginx.start(news.port)
      const seen = await inAll(async (browser) => {
        await openPage(browser, port)
        return sawAll(browser, news.count + 500)
      })
      for (const { faults, transports } of seen) {
        expect(faults).toEqual([])
        expect(transports).toEqual(['stream'])
      }
    })
  })
})
