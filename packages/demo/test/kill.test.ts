import { chromium, describeWith, startChromium } from '@oneport/test-kit'
import type { Browser, Page } from 'playwright-core'
import { Demo } from './program.ts'

jest.setTimeout(60_000)

describeWith(chromium, 'the page in Chromium, when the process that it is connected to is killed', () => {
  let browser: Browser
  let demo: Demo
  let origin: string

  beforeAll(async () => {
    browser = await startChromium()
  })

  afterAll(() => browser?.close())

  afterEach(async () => {
    await Promise.all(browser.contexts().map((context) => context.close()))
    await demo.stop()
  })

  async function enter(nickname: string): Promise<Page> {
    const page = await (await browser.newContext()).newPage()
    await page.goto(origin)
    await page.getByLabel('Nickname').fill(nickname)
    await page.keyboard.press('Enter')
    await page.getByText('Online', { exact: true }).waitFor()
    return page
  }

  /** The process that a page is connected to, once that is not another one. */
  async function processOf(page: Page, other = '–'): Promise<string> {
    const fact = page.locator('#fact-process')
    await fact.filter({ hasNotText: other }).filter({ hasText: /\d/ }).waitFor()
    return (await fact.textContent()) ?? ''
  }

  /** Two pages, connected to two processes. */
  async function enterBoth(): Promise<[Page, Page]> {
    const ada = await enter('Ada')
    for (;;) {
      const grace = await enter('Grace')
      if ((await processOf(grace)) !== (await processOf(ada))) return [ada, grace]
      await grace.context().close()
    }
  }

  async function say(page: Page, text: string): Promise<void> {
    await page.getByRole('textbox', { name: 'Message' }).fill(text)
    await page.keyboard.press('Enter')
  }

  const here = (page: Page) => page.getByRole('region', { name: 'Here now' }).getByRole('listitem')

  it.each([
    ['Fastify', []],
    ['Express', ['--express']]
  ])('goes on at another one: nothing is lost, nothing is doubled, with %s', async (_name, args) => {
    demo = new Demo([...args, '--port', '0'])
    origin = `http://localhost:${await demo.port()}`
    const [ada, grace] = await enterBoth()
    for (const page of [ada, grace])
      for (const name of ['Ada', 'Grace']) await here(page).filter({ hasText: name }).waitFor()

    await say(ada, 'one')
    await grace.locator('#messages').getByText('one').waitFor()
    const killed = await processOf(grace)
    await grace.getByRole('button', { name: 'Kill the server process' }).click()
    await say(grace, 'two')
    await say(ada, 'three')
    expect(await processOf(grace, killed)).not.toBe(killed)
    for (const page of [ada, grace]) {
      for (const text of ['two', 'three']) await page.locator('#messages').getByText(text).waitFor()
    }
    const texts = await ada.locator('#messages .text').allTextContents()
    expect(texts.toSorted()).toEqual(['one', 'three', 'two'])
    expect(await grace.locator('#messages .text').allTextContents()).toEqual(texts)
    for (const page of [ada, grace]) expect(await here(page).count()).toBe(2)
    await grace.getByText(`Process ${killed} killed`).waitFor()
  })
})
