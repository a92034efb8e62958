import { describeWith } from '@oneport/test-kit'
import { describeInAll } from './browsers.ts'
import { openNews } from './news.ts'
import { openPage, sawAll } from './page.ts'
import { plainNginx, withoutUpgrade } from './proxies.ts'

// Starting browsers takes long on a busy machine.
jest.setTimeout(60_000)

describeInAll('without WebSocket', (inAll) => {
  describe.each(withoutUpgrade)('behind $name', ({ program, start }) => {
    describeWith(program, 'topics', () => {
      test('go over a stream, and nothing is lost or doubled', async () => {
        const news = await openNews(5)
        const port = await start(news.port)
        const seen = await inAll(async (browser) => {
          await openPage(browser, port)
          return sawAll(browser, news.count + 200)
        })
        for (const { faults, transports } of seen) {
          expect(faults).toEqual([])
          expect(transports).toEqual(['stream'])
        }
      })
    })
  })

  describeWith(plainNginx.program, 'two tabs', () => {
    test('share one stream, which survives the tab that has it', async () => {
      const news = await openNews(5)
      const port = await plainNginx.start(news.port)
      const seen = await inAll(async (browser) => {
        const leader = await browser.openTab()
        await openPage(leader, port, { share: true })
        const other = await browser.openTab()
        await openPage(other, port, { share: true })
        const first = await sawAll(leader, news.count + 100)
        expect(await other.evaluate('requests')).toBe(0)
        await leader.close()
        const second = await sawAll(other, news.count + 100)
        expect(await other.evaluate('requests')).toBeGreaterThan(0)
        await other.close()
        return [first, second]
      })
      for (const { faults, transports } of seen.flat()) {
        expect(faults).toEqual([])
        expect(transports[0]).toBe('stream')
      }
    })
  })
})
