import { chromium, describeWith, startChromium, takePrinted } from '@oneport/test-kit'
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core'
import type { Address, Running } from '../src/address.ts'
import { startExpress } from '../src/express.ts'
import { startFastify } from '../src/fastify.ts'

type Start = (address: Address) => Promise<Running>

jest.setTimeout(60_000)

describeWith(chromium, 'the page in Chromium', () => {
  let browser: Browser

  beforeAll(async () => {
    browser = await startChromium()
  })

  afterAll(() => browser?.close())

  describe.each<[string, Start]>([
    ['Fastify', startFastify],
    ['Express', startExpress]
  ])('served by %s', (_name, start) => {
    let running: Running
    let problems: string[]

    beforeEach(async () => {
      problems = []
      running = await start({ host: '127.0.0.1', port: 0 })
    })

    afterEach(async () => {
      await Promise.all(browser.contexts().map((context) => context.close()))
      await running.close()
      // Violations of the Content-Security-Policy would be here too.
      expect(problems).toEqual([])
    })

    /** Opens the page for somebody with a browser, and cookies, of their own. */
    async function open(path = '/', options: BrowserContextOptions = {}): Promise<Page> {
      const context = await browser.newContext(options)
      context.setDefaultTimeout(20_000)
      const page = await context.newPage()
      page.on('pageerror', (error) => problems.push(String(error)))
      page.on('console', (message) => {
        if (['error', 'warning'].includes(message.type())) problems.push(message.text())
      })
      await page.goto(`http://localhost:${running.port}${path}`)
      return page
    }

    async function enter(nickname: string, ...rest: Parameters<typeof open>): Promise<Page> {
      const page = await open(...rest)
      await page.getByLabel('Nickname').fill(nickname)
      await page.keyboard.press('Enter')
      await page.getByText('Online', { exact: true }).waitFor()
      return page
    }

    async function say(page: Page, text: string): Promise<void> {
      await page.getByRole('textbox', { name: 'Message' }).fill(text)
      await page.keyboard.press('Enter')
    }

    const message = (page: Page, text: string) =>
      page.getByRole('log', { name: 'Messages' }).getByRole('listitem').filter({ hasText: text })

    const person = (page: Page, nickname: string) =>
      page.getByRole('region', { name: 'Here now' }).getByRole('listitem').filter({ hasText: nickname })

    /** Makes the page wait this share of the longest delay before it connects again. */
    const fixJitter = (page: Page, share: number) =>
      page.evaluate((value) => {
        Math.random = () => value
      }, share)

    function terminateAll(): void {
      for (const socket of running.connections()) socket.terminate()
    }

    it('lets two people talk, each message with its sender and time', async () => {
      const ada = await enter('Ada')
      const grace = await enter('Grace')
      await say(ada, 'Hello, Grace')
      const heard = message(grace, 'Hello, Grace')
      await heard.getByText('Ada').waitFor()
      const said = await heard.locator('time').getAttribute('datetime')
      expect(Math.abs(Date.now() - Date.parse(said ?? ''))).toBeLessThan(60_000)

      await grace.getByRole('textbox', { name: 'Message' }).fill('Hello, Ada')
      await grace.getByRole('button', { name: 'Send' }).click()
      await message(ada, 'Hello, Ada').getByText('Grace').waitFor()
      expect(await message(ada, 'Hello, Grace').getAttribute('class')).toContain('mine')
      expect(await message(grace, 'Hello, Grace').getAttribute('class')).not.toContain('mine')
    })

    it('shows who is here, who joins and who leaves', async () => {
      const ada = await enter('Ada')
      const grace = await enter('Grace')
      await message(ada, 'Grace joined').waitFor()
      await person(ada, 'Grace').waitFor()
      await person(grace, 'Ada').waitFor()
      await grace.close()
      await message(ada, 'Grace left').waitFor()
      await person(ada, 'Grace').waitFor({ state: 'detached' })
      await ada.getByText('Only you are here').waitFor()
    })

    it('keeps rooms apart and gives each a URL of its own', async () => {
      const ada = await enter('Ada')
      const grace = await enter('Grace', '/r/tea-time')
      await ada.getByRole('link', { name: 'tea-time' }).waitFor()
      await say(grace, 'Milk first?')
      await message(grace, 'Milk first?').waitFor()
      await ada.getByLabel('Go to another room').fill('Tea time!')
      await ada.keyboard.press('Enter')
      await message(ada, 'Milk first?').waitFor()
      expect(new URL(ada.url()).pathname).toBe('/r/tea-time')
      await ada.goBack()
      await ada.getByRole('heading', { name: 'lobby' }).waitFor()
      await message(ada, 'Milk first?').waitFor({ state: 'detached' })
    })

    it('remembers the nickname, and changes it on request', async () => {
      const ada = await enter('Ada')
      await ada.reload()
      await ada.getByText('Online', { exact: true }).waitFor()
      await ada.getByRole('button', { name: 'Change' }).click()
      await ada.getByLabel('Nickname').fill('Countess')
      await ada.keyboard.press('Enter')
      await person(ada, 'Countess').waitFor()
      expect(await ada.evaluate(() => document.cookie)).toBe('')
    })

    it('security: shows markup as the text that it is', async () => {
      const ada = await enter('<i>Ada</i>')
      const grace = await enter('Grace')
      await say(ada, '<img src="/none.png" onerror="alert(1)">')
      await message(grace, '<img src="/none.png" onerror="alert(1)">').getByText('<i>Ada</i>').waitFor()
      expect(await grace.locator('#messages img, #messages i').count()).toBe(0)
    })

    it('shows the handshake as it happened, without the cookie', async () => {
      const page = await enter('SecretAda')
      const panel = page.getByRole('complementary', { name: 'Handshake' })
      await panel.getByText('GET /chat/lobby HTTP/1.1').waitFor()
      await panel.getByText('HTTP/1.1 101 Switching Protocols').waitFor()
      await panel.getByText('Both sides speak the subprotocol chat.v1.').waitFor()
      const text = await panel.textContent()
      expect(text).toContain('Originhttp://localhost')
      expect(text).not.toContain('SecretAda')
    })

    it.each([
      ['Foreign origin', '403', 'HTTP/1.1 403 Forbidden'],
      ['Version 12', '426', 'HTTP/1.1 426 Upgrade Required'],
      ['No login', '401', 'HTTP/1.1 401 Unauthorized']
    ])('provokes a refusal: %s gets %s', async (name, status, line) => {
      const page = await enter('Ada')
      await page.getByRole('button', { name }).click()
      await page.getByRole('button', { name: new RegExp(`${name}.*${status}`) }).waitFor()
      await page.getByRole('complementary', { name: 'Handshake' }).getByText(line).waitFor()
      await page
        .getByRole('status')
        .getByText(`${name}: ${line.slice('HTTP/1.1 '.length)}`)
        .waitFor()
      // The library's line for the operator about the origin.
      takePrinted()
    })

    it.each([
      [1_280, 800],
      [1_280, 560],
      [390, 844]
    ])('shows the buttons and then the whole answer in a window of %i × %i', async (width, height) => {
      const page = await enter('Ada', '/', { viewport: { width, height } })
      if (width < 1_120) await page.getByRole('button', { name: 'Handshake' }).click()
      const isInView = (locator: Locator) =>
        locator.evaluate((element) => {
          const { top, bottom } = element.getBoundingClientRect()
          return top >= 0 && bottom <= innerHeight
        })
      for (const [name, status] of [
        ['No login', 401],
        ['Foreign origin', 403],
        ['Version 12', 426]
      ]) {
        const button = page.getByRole('button', { name: `${name}` })
        await button.scrollIntoViewIfNeeded()
        await button.click()
        const answer = page.locator('#handshake .head').filter({ hasText: `HTTP/1.1 ${status}` })
        await answer.waitFor()
        while (!(await isInView(answer))) await page.waitForFunction(() => new Promise(requestAnimationFrame))
      }
      takePrinted()
    })

    it('has the buttons for refusals in view from the beginning, at 1280 × 800', async () => {
      const page = await enter('Ada', '/', { viewport: { width: 1_280, height: 800 } })
      await page.getByText('HTTP/1.1 101 Switching Protocols').waitFor()
      for (const name of ['Foreign origin', 'Version 12', 'No login']) {
        const { y, height } = (await page.getByRole('button', { name }).boundingBox()) ?? { y: 0, height: 800 }
        expect(y + height).toBeLessThan(400)
      }
    })

    it('goes back from a refusal to the handshake of the chat', async () => {
      const page = await enter('Ada')
      await page.getByRole('button', { name: 'No login Try' }).click()
      const refusal = page.getByText('HTTP/1.1 401 Unauthorized')
      await refusal.waitFor()
      await page.getByRole('button', { name: 'This chat 101', pressed: false }).click()
      await page.getByText('HTTP/1.1 101 Switching Protocols').waitFor()
      expect(await refusal.count()).toBe(0)
      await page.getByRole('button', { name: 'This chat 101', pressed: true }).waitFor()
    })

    it('sends what was written offline once it is back online', async () => {
      const [ada, grace] = [await enter('Ada'), await enter('Grace')]
      await fixJitter(ada, 1_000)
      terminateAll()
      await ada.getByText('Offline', { exact: true }).waitFor()
      await say(ada, 'Still here')
      await ada.getByText('Offline. This will be sent when you are back online, unless you edit it.').waitFor()
      await ada.getByRole('button', { name: 'Try now' }).click()
      await message(ada, 'Still here').waitFor()
      await message(grace, 'Still here').waitFor()
      expect(await ada.getByRole('textbox', { name: 'Message' }).inputValue()).toBe('')
      expect(await ada.getByText('Offline. This will be sent').count()).toBe(0)
    })

    it('does not send a text that was edited or written in another room', async () => {
      const page = await enter('Ada')
      await fixJitter(page, 1_000)
      terminateAll()
      await page.getByText('Offline', { exact: true }).waitFor()
      const box = page.getByRole('textbox', { name: 'Message' })
      const later = page.getByText('Offline. This will be sent')
      await say(page, 'Half a thou')
      await later.waitFor()
      await box.press('t')
      expect(await later.count()).toBe(0)
      await page.getByRole('button', { name: 'Try now' }).click()
      await page.getByText('Online', { exact: true }).waitFor()
      expect(await box.inputValue()).toBe('Half a thout')

      await fixJitter(page, 1_000)
      terminateAll()
      await page.getByText('Offline', { exact: true }).waitFor()
      await box.press('Enter')
      await later.waitFor()
      await page.getByLabel('Go to another room').fill('Tea')
      await page.keyboard.press('Enter')
      await page.getByText('Online', { exact: true }).waitFor()
      expect([await box.inputValue(), await message(page, 'Half a').count()]).toEqual(['Half a thout', 0])
    })

    it.each([
      ['Кухня', 'кухня'],
      ['مقهى الشاي', 'مقهى-الشاي'],
      ['👩‍🚀 Space', '👩‍🚀-space']
    ])('has rooms in any script: %s', async (typed, name) => {
      const ada = await enter('Ada')
      await ada.getByLabel('Go to another room').fill(typed)
      await ada.keyboard.press('Enter')
      await ada.getByRole('heading', { name }).waitFor()
      await ada.getByText('Online', { exact: true }).waitFor()
      expect(decodeURIComponent(new URL(ada.url()).pathname)).toBe(`/r/${name}`)
      expect(await ada.title()).toBe(`#\u2068${name}\u2069 · Oneport chat`)
      await say(ada, 'Hello')
      const grace = await enter('Grace', `/r/${encodeURIComponent(name)}`)
      await message(grace, 'Hello').waitFor()
      await grace.getByRole('link', { name: 'lobby' }).click()
      await grace.getByRole('link', { name }).click()
      await message(grace, 'Hello').waitFor()
      await grace.reload()
      await message(grace, 'Hello').waitFor()
    })

    it('writes each message in the direction of its script', async () => {
      const [ada, grace] = [await enter('Ada'), await enter('غريس')]
      await say(grace, 'مرحبا Ada!')
      await say(ada, 'Hello!')
      const directionOf = (text: string) =>
        message(ada, text)
          .locator('.bubble')
          .evaluate((bubble) => getComputedStyle(bubble).direction)
      await message(ada, 'Hello!').waitFor()
      expect([await directionOf('مرحبا'), await directionOf('Hello!')]).toEqual(['rtl', 'ltr'])
      const clock = message(ada, 'مرحبا').locator('time')
      expect(await clock.evaluate((element) => getComputedStyle(element).direction)).toBe('ltr')
      await ada.getByRole('log').getByText('غريس joined', { exact: true }).waitFor()
    })

    it('reconnects by itself after its connection was cut, and keeps its messages', async () => {
      const ada = await enter('Ada')
      const grace = await enter('Grace')
      await say(ada, 'before')
      await message(grace, 'before').waitFor()
      const both = [ada, grace]
      for (const page of both) await fixJitter(page, 2.5)
      const seeOffline = both.map((page) => page.getByText('Offline', { exact: true }).waitFor())
      terminateAll()
      await Promise.all(seeOffline)
      for (const page of both) await page.getByText('Online', { exact: true }).waitFor()
      await say(grace, 'after')
      await message(ada, 'after').waitFor()
      expect(await message(ada, 'before').count()).toBe(1)
    })

    it('says when it tries again, and tries at once on request', async () => {
      const page = await enter('Ada')
      await fixJitter(page, 1_000)
      terminateAll()
      await page.getByText(/^Next attempt in \d+ s\.$/).waitFor()
      await page
        .getByRole('status')
        .getByText(/^Offline\. Next attempt in \d+ seconds\.$/)
        .waitFor()
      await page.getByRole('button', { name: 'Try now' }).click()
      await page.getByText('Online', { exact: true }).waitFor()
      expect(await page.getByRole('button', { name: 'Try now' }).isVisible()).toBe(false)
    })

    it('asks for a nickname again if the cookie is gone and the handshake gets 401', async () => {
      const page = await enter('Ada')
      await page.context().clearCookies()
      terminateAll()
      await page.getByLabel('Nickname').fill('Ada II')
      await page.keyboard.press('Enter')
      await person(page, 'Ada II').waitFor()
      expect(problems.splice(0)).toEqual([expect.stringMatching(/Authentication failed|401/)])
    })

    it('fits a phone, where keys open and close the panels', async () => {
      const page = await enter('Ada', '/', { viewport: { width: 360, height: 740 } })
      const panel = page.getByRole('complementary', { name: 'Handshake' })
      const opener = page.getByRole('button', { name: 'Handshake' })
      await opener.focus()
      await page.keyboard.press('Enter')
      await panel.waitFor()
      await page.keyboard.press('Escape')
      await panel.waitFor({ state: 'hidden' })
      expect(await opener.evaluate((element) => element === document.activeElement)).toBe(true)

      await say(page, `${'long'.repeat(100)} https://a.example/${'path'.repeat(40)}`)
      await message(page, 'longlong').waitFor()
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360)
    })
  })
})
