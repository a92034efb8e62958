import { chromium, describeWith, startChromium, takePrinted } from '@oneport/test-kit'
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core'
import type { Address, Running } from '../src/address.ts'
import { startExpress } from '../src/express.ts'
import { startFastify } from '../src/fastify.ts'
import { Visitor } from './visitor.ts'

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

    it('shows a message once that was published twice', async () => {
      const ada = await enter('Ada')
      const grace = new Visitor(`ws://127.0.0.1:${running.port}`, 'Grace')
      for (const text of ['once', 'once']) await grace.say(text, { id: 'same' })
      await grace.say('more')
      await message(ada, 'more').waitFor()
      expect(await message(ada, 'once').count()).toBe(1)
      grace.leave()
    })

    it('gives a message back to somebody who has changed their name in another window', async () => {
      const ada = await enter('Ada')
      const other = await ada.context().newPage()
      await other.goto(ada.url())
      await other.getByRole('button', { name: 'Change' }).click()
      await other.getByLabel('Nickname').fill('Countess')
      await other.keyboard.press('Enter')
      await person(other, 'Countess').waitFor()
      terminateAll()
      await person(ada, 'Ada').waitFor({ state: 'detached' })
      await say(ada, 'Who am I?')
      await ada.getByText('You are Countess now. Send it again.').waitFor()
      await ada.getByText('Online', { exact: true }).waitFor()
      await ada.keyboard.press('Enter')
      await message(other, 'Who am I?').getByText('You', { exact: true }).waitFor({ state: 'attached' })
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
      await panel.getByText(/^GET \/chat\/lobby\?page=\w+ HTTP\/1\.1$/).waitFor()
      await panel.getByText('HTTP/1.1 101 Switching Protocols').waitFor()
      await panel.getByText('Both sides speak the subprotocol oneport.topics.1.').waitFor()
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
        const { y, height } = (await page.getByRole('button', { name }).boundingBox()) ?? { y: 0, height: 801 }
        expect(y + height).toBeLessThan(800)
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

    it('shows what was written offline as waiting, and sends it once it is back online', async () => {
      const [ada, grace] = [await enter('Ada'), await enter('Grace')]
      await fixJitter(ada, 1_000)
      terminateAll()
      await ada.getByText('Offline', { exact: true }).waitFor()
      await say(ada, 'Still here')
      const waiting = ada.getByRole('list', { name: 'Waiting to be sent' }).getByRole('listitem')
      await waiting.filter({ hasText: 'Still here' }).getByText('Waiting').waitFor()
      expect(await ada.getByRole('textbox', { name: 'Message' }).inputValue()).toBe('')
      await ada.getByRole('button', { name: 'Try now' }).click()
      await message(grace, 'Still here').waitFor()
      await message(ada, 'Still here').locator('time').waitFor()
      expect([await waiting.count(), await message(ada, 'Still here').count()]).toEqual([0, 1])
    })

    it('gives back what waits to be sent when its room is left', async () => {
      const page = await enter('Ada')
      await fixJitter(page, 1_000)
      terminateAll()
      await page.getByText('Offline', { exact: true }).waitFor()
      await say(page, 'Only for')
      await say(page, 'the lobby')
      await message(page, 'the lobby').waitFor()
      await page.getByLabel('Go to another room').fill('Tea')
      await page.keyboard.press('Enter')
      await page.getByText('Online', { exact: true }).waitFor()
      await page.getByText('That was not sent. Send it again.').waitFor()
      const box = page.getByRole('textbox', { name: 'Message' })
      expect([await box.inputValue(), await message(page, 'Only for').count()]).toEqual(['Only for\nthe lobby', 0])
    })

    it('gives messages back that are too many', async () => {
      const page = await enter('Ada')
      // All at once, which nobody can type.
      await page.evaluate(() => {
        const [form, box] = [document.querySelector('form#say'), document.querySelector('textarea')]
        for (let count = 1; count <= 10; count++) {
          if (box !== null) box.value = `message ${count}`
          ;(form as HTMLFormElement).requestSubmit()
        }
      })
      await page.getByRole('alert').getByText('That was fast. Wait a moment, then send it again.').waitFor()
      const box = page.getByRole('textbox', { name: 'Message' })
      while ((await box.inputValue()) !== 'message 9\nmessage 10')
        await page.evaluate(() => new Promise(requestAnimationFrame))
      expect([await message(page, 'message 8').count(), await message(page, 'message 9').count()]).toEqual([1, 0])
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

    it('says that it is offline, and tries at once on request', async () => {
      const page = await enter('Ada')
      await fixJitter(page, 1_000)
      terminateAll()
      await page.getByText('Connection lost. What you write is sent later.').waitFor()
      await page.getByRole('status').getByText('Offline. What you write is sent later.').waitFor()
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
      // The browser's own lines, one for the handshake and one for the question why it failed.
      expect(problems.splice(0).sort()).toEqual([
        expect.stringMatching(/^Failed to load resource: .* 401/),
        expect.stringMatching(/^WebSocket connection to .* failed: .*(Authentication failed|401)/)
      ])
    })

    const choose = (page: Page, network: string) => page.getByRole('radio', { name: network }).check()

    const fact = (page: Page, name: string) => page.locator('.facts div').filter({ hasText: name }).locator('dd')

    /** Waits until the diary has a line. */
    const noted = (page: Page, line: string | RegExp) =>
      page.getByRole('list', { name: 'What happened' }).getByText(line).first().waitFor()

    /** The browser's own lines about handshakes that a broken network must cause, and about asking why they failed. */
    function forgive(...expected: RegExp[]): void {
      problems = problems.filter((problem) => !expected.some((each) => each.test(problem)))
    }

    it('goes on over a stream where WebSocket is blocked, says so, and comes back', async () => {
      const [ada, grace] = [await enter('Ada'), await enter('Grace')]
      const panel = ada.getByRole('complementary', { name: 'Network and handshake' })
      await panel.getByRole('status').getByText('Connected over a WebSocket.').waitFor()
      expect(await fact(ada, 'Transport').textContent()).toBe('WebSocket')
      await choose(ada, 'WebSocket blocked')
      await panel.getByRole('status').getByText('Connected over a stream of plain HTTP.').waitFor()
      await panel.getByText('HTTP/1.1 200 OK').waitFor()
      await panel.getByText('text/event-stream').first().waitFor()
      await say(grace, 'Can you hear me?')
      await message(ada, 'Can you hear me?').waitFor()
      await say(ada, 'Loud and clear')
      await message(grace, 'Loud and clear').waitFor()
      expect(await message(ada, 'Loud and clear').count()).toBe(1)
      await choose(ada, 'Normal')
      await panel.getByRole('status').getByText('Connected over a WebSocket.').waitFor()
      await say(ada, 'Back')
      await message(grace, 'Back').waitFor()
      await panel.getByText('HTTP/1.1 101 Switching Protocols').waitFor()
      expect(await message(ada, 'Loud and clear').count()).toBe(1)
      // The client asks why the handshakes failed, and is answered that it names no topic.
      forgive(/^Failed to load resource: .* 400/)
    })

    it('catches up with what was said in airplane mode, and then sends what was written, once', async () => {
      const [ada, grace] = [await enter('Ada'), await enter('Grace')]
      await say(grace, 'Have a good flight')
      await message(ada, 'Have a good flight').waitFor()
      await choose(ada, 'Airplane mode')
      await ada.getByText('Offline', { exact: true }).waitFor()
      await ada.getByRole('status').getByText('No network. What you write waits.').waitFor()
      await say(ada, 'Above the clouds')
      await message(ada, 'Above the clouds').getByText('Waiting').waitFor()
      expect(await fact(ada, 'Waiting to be sent').textContent()).toBe('1 message')
      for (const text of ['one', 'two', 'three']) await say(grace, `missed ${text}`)
      await message(grace, 'missed three').waitFor()
      expect(await message(ada, 'missed').count()).toBe(0)

      await choose(ada, 'Normal')
      await message(ada, '3 messages that you missed').waitFor()
      await message(ada, 'Above the clouds').locator('time').waitFor()
      await ada.getByRole('status').getByText('Back online. You missed 3.').waitFor()
      await noted(ada, 'Caught up: 3 messages')
      await noted(ada, 'Message sent that had waited')
      expect(await fact(ada, 'Missed while away').textContent()).toBe('3 messages, caught up')
      expect(await fact(ada, 'Waiting to be sent').textContent()).toBe('nothing')
      expect(await fact(ada, 'Position').textContent()).toMatch(/^\w{6}… 5$/)
      await message(grace, 'Above the clouds').waitFor()
      for (const page of [ada, grace]) {
        const texts = await page.locator('#messages .message .text').allTextContents()
        expect(texts).toEqual(['Have a good flight', 'missed one', 'missed two', 'missed three', 'Above the clouds'])
      }
      expect(await ada.locator('.missed .text').allTextContents()).toEqual(['missed one', 'missed two', 'missed three'])
    })

    it('lands where WebSocket is blocked', async () => {
      const [ada, grace] = [await enter('Ada'), await enter('Grace')]
      await choose(ada, 'Airplane mode')
      await ada.getByText('Offline', { exact: true }).waitFor()
      await say(grace, 'Welcome back')
      await say(ada, 'Thank you')
      await fixJitter(ada, 1_000)
      await choose(ada, 'WebSocket blocked')
      await message(ada, '1 message that you missed').waitFor()
      await message(grace, 'Thank you').waitFor()
      expect(await fact(ada, 'Transport').textContent()).toBe('Stream over HTTP')
      forgive(/^Failed to load resource: .* 400/)
    })

    it('takes its time on the slow train, and loses nothing in its tunnels', async () => {
      const [ada, grace] = [await enter('Ada'), await enter('Grace')]
      await choose(ada, 'Slow train')
      await say(ada, 'Choo choo')
      await message(ada, 'Choo choo').getByText('Waiting').waitFor()
      await message(grace, 'Choo choo').waitFor()
      await message(ada, 'Choo choo').locator('time').waitFor()
      await ada.getByRole('status').getByText('In a tunnel: no network.').waitFor()
      await say(grace, 'Are you there?')
      await say(ada, 'It is dark in here')
      await message(ada, 'Are you there?').waitFor()
      await message(grace, 'It is dark in here').waitFor()
      for (const page of [ada, grace]) {
        const texts = await page.locator('#messages .message .text').allTextContents()
        expect(texts.sort()).toEqual(['Are you there?', 'Choo choo', 'It is dark in here'])
      }
    })

    it('says that messages are missing if the server has lost its history', async () => {
      const ada = await enter('Ada')
      await say(ada, 'before')
      await message(ada, 'before').waitFor()
      const { port } = running
      await running.close()
      await ada.getByText('Offline', { exact: true }).waitFor()
      running = await start({ host: '127.0.0.1', port })
      await message(ada, 'Messages are missing here').waitFor()
      await noted(ada, 'Gap: the server has lost its history')
      await say(ada, 'after')
      await message(ada, 'after').locator('time').waitFor()
      forgive(/^WebSocket connection to .* failed/, /^Failed to load resource: .*/)
    })

    it('lets keys choose the network, and says if there is no other process', async () => {
      const page = await enter('Ada')
      await page.getByRole('radio', { name: 'Normal' }).focus()
      await page.keyboard.press('ArrowUp')
      expect(await page.getByRole('radio', { name: 'Airplane mode' }).isChecked()).toBe(true)
      await page.getByText('Offline', { exact: true }).waitFor()
      await page.keyboard.press('ArrowDown')
      await page.getByText('Online', { exact: true }).waitFor()
      await fact(page, 'Server process').getByText(String(process.pid)).waitFor()
      await page.getByRole('button', { name: 'Kill the server process' }).press('Enter')
      await noted(page, 'The server has one process only.')
      forgive(/^Failed to load resource: .* 404/)
    })

    it('fits a phone, where keys open and close the panels', async () => {
      const page = await enter('Ada', '/', { viewport: { width: 360, height: 740 } })
      const panel = page.getByRole('complementary', { name: 'Network and handshake' })
      const opener = page.getByRole('button', { name: 'Network and handshake' })
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
