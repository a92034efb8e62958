import { type Browser, describeWith, openWebKit, type Tab, webkit } from '@oneport/test-kit'
import type { Running } from '../src/address.ts'
import { startFastify } from '../src/fastify.ts'

jest.setTimeout(60_000)

/** Gives the page short names for what people do. */
const people = `
  const byId = (id) => document.getElementById(id)
  const errors = []
  addEventListener('error', ({ message }) => errors.push(message))
  addEventListener('unhandledrejection', ({ reason }) => errors.push(String(reason)))
  const until = async (isSo) => {
    while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 10))
  }
  const enter = async (nickname) => {
    await until(() => byId('login').open)
    byId('nickname').value = nickname
    byId('login-form').requestSubmit()
    await until(() => byId('state').textContent === 'Online')
  }
  const say = (text) => {
    byId('text').value = text
    byId('say').requestSubmit()
  }
  const choose = (mode) => document.querySelector('#modes [value=' + mode + ']').click()
  const messages = () => byId('messages').textContent
  Object.assign(window, { byId, errors, until, enter, say, choose, messages })
`

describeWith(webkit, 'the page in WebKit', () => {
  let browser: Browser
  let running: Running

  beforeAll(async () => {
    browser = await openWebKit()
  })
  afterAll(() => browser?.close())

  beforeEach(async () => {
    running = await startFastify({ host: '127.0.0.1', port: 0 })
  })
  afterEach(() => running.close())

  async function open(tab: Tab): Promise<void> {
    await tab.goTo(`http://localhost:${running.port}/`)
    await tab.evaluate(`void (() => {${people}})()`)
  }

  test('chats, over a stream where WebSocket is blocked, and catches up after airplane mode', async () => {
    await open(browser)
    await browser.evaluate(`enter('Ada')`)
    const other = await browser.openTab()
    await open(other)
    await other.evaluate(`until(() => byId('state').textContent === 'Online')`)
    const transport = `byId('fact-transport').textContent`

    await browser.evaluate(`void say('over a WebSocket')`)
    await other.evaluate(`until(() => messages().includes('over a WebSocket'))`)
    expect(await browser.evaluate(transport)).toMatch(/^WebSocket/)

    await browser.evaluate(`void choose('blocked')`)
    await browser.evaluate(`until(() => /stream/i.test(${transport}))`)
    await browser.evaluate(`void say('over a stream')`)
    await other.evaluate(`until(() => messages().includes('over a stream'))`)

    await browser.evaluate(`void choose('airplane')`)
    await browser.evaluate(`until(() => byId('state').textContent !== 'Online')`)
    await other.evaluate(`void say('said meanwhile')`)
    await other.evaluate(`until(() => messages().includes('said meanwhile'))`)
    await browser.evaluate(`void say('written in airplane mode')`)
    await browser.evaluate(`void choose('normal')`)
    await other.evaluate(`until(() => messages().includes('written in airplane mode'))`)
    await browser.evaluate(`until(() => messages().includes('said meanwhile'))`)
    for (const tab of [browser, other]) {
      const all = String(await tab.evaluate('messages()'))
      for (const text of ['over a WebSocket', 'over a stream', 'said meanwhile', 'written in airplane mode'])
        expect(all.split(text).length).toBe(2)
      expect(await tab.evaluate('errors')).toEqual([])
    }
  })
})
