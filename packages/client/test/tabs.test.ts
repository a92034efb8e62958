import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { attach, serveTopics } from '@oneport/core'
import { type Browser, browsers, describeWith, type Tab } from '@oneport/test-kit'
import { createTopics, type Topics } from '@oneport/topics'
import { clientScript } from './bundled.ts'

jest.setTimeout(60_000)

const script = clientScript()

const page = `<!doctype html><link rel="icon" href="data:,"><script src="/client.js"></script>
<script>
  const lines = []
  const topics = oneport.connectTopics('/topics', { share: location.search !== '?alone', persist: location.search === '?alone', maxDelayMs: 200 })
  topics.subscribe('news', (data) => lines.push(data), {
    onSubscribed: () => lines.push('subscribed'),
    onGap: () => lines.push('gap')
  })
  let members = []
  const watch = () => topics.presence('news', (all) => { members = [...all.keys()] })
  const until = async (isSo) => { while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 10)) }
</script>`

let server: Server
let topics: Topics
let port: number
let connections = 0

async function start(): Promise<void> {
  server = createServer((req, res) => {
    if (req.url?.startsWith('/?') || req.url === '/') res.setHeader('Content-Type', 'text/html').end(page)
    else if (req.url === '/client.js') res.setHeader('Content-Type', 'text/javascript').end(script)
    else {
      connections++
      void serveTopics(req, res, topics, { mayRead: () => true, mayPublish: () => true, presence: { id: 'ada' } })
    }
  })
  attach(server)
  await once(server.listen(port, '127.0.0.1'), 'listening')
  ;({ port } = server.address() as AddressInfo)
}

async function stop(): Promise<void> {
  server.closeAllConnections()
  const closed = once(server.close(), 'close')
  await closed
}

beforeEach(async () => {
  port = 0
  connections = 0
  topics = createTopics({ history: {} })
  await start()
})

afterEach(async () => {
  await topics.close()
  await stop()
})

const heard = (tab: Tab, line: string): Promise<unknown> =>
  tab.evaluate(`until(() => lines.includes(${JSON.stringify(line)})).then(() => lines)`)

describe.each(browsers)('in %s', (_name, program, open) => {
  describeWith(program, 'tabs', () => {
    let browser: Browser
    beforeAll(async () => {
      browser = await open()
    })
    afterAll(() => browser.close())

    test('share one connection, which survives the tab that has it', async () => {
      const url = `http://127.0.0.1:${port}/`
      const leader = await browser.openTab()
      await leader.goTo(url)
      await heard(leader, 'subscribed')
      const tabs: Tab[] = []
      for (let count = 0; count < 2; count++) {
        const tab = await browser.openTab()
        await tab.goTo(url)
        await heard(tab, 'subscribed')
        tabs.push(tab)
      }
      topics.publish('news', 'a')
      for (const tab of [leader, ...tabs]) expect(await heard(tab, 'a')).toEqual(['subscribed', 'a'])
      expect(connections).toBe(1)
      expect(await tabs[0]?.evaluate(`topics.publish('news', 'b')`)).toBe(2)
      await leader.close()
      topics.publish('news', 'c')
      for (const tab of tabs) {
        expect(await heard(tab, 'c')).toEqual(['subscribed', 'a', 'b', 'subscribed', 'c'])
        expect(await tab.evaluate('[topics.state, topics.transport]')).toEqual(['open', 'websocket'])
      }
      expect(connections).toBe(2)
      await tabs[1]?.evaluate('watch()')
      expect(await tabs[1]?.evaluate('until(() => members.length > 0).then(() => members)')).toEqual(['ada'])
      for (const tab of tabs) await tab.close()
      while (topics.stats().subscriptions > 0) await new Promise((resolve) => setTimeout(resolve, 10))
    })

    test('goes on after a reload, with what it has missed', async () => {
      const tab = await browser.openTab()
      const url = `http://127.0.0.1:${port}/?alone`
      await tab.goTo(url)
      await heard(tab, 'subscribed')
      topics.publish('news', 'a')
      await heard(tab, 'a')
      // Firefox may lose what is written while a page is left.
      await tab.evaluate(`until(() => JSON.parse(sessionStorage['oneport:/topics']).news.offset === 1)`)
      await tab.goTo('about:blank')
      topics.publish('news', 'b')
      await tab.goTo(url)
      expect(await heard(tab, 'b')).toEqual(['subscribed', 'b'])
      await tab.close()
    })
  })
})
