import { chromium, describeWith, startChromium } from '@oneport/test-kit'
import type { Browser, Page } from 'playwright-core'
import { type Block, blocksOf } from '../src/markdown.ts'
import { Program, removePrograms, writePrograms } from '../src/program.ts'

jest.setTimeout(60_000)

const examples = blocksOf('docs/start.md').flatMap((block): [name: string, block: Block][] =>
  block.label?.startsWith('example: ') ? [[block.label.slice('example: '.length), block]] : []
)

describeWith(chromium, 'the page of', () => {
  let browser: Browser

  beforeAll(async () => {
    writePrograms(new Map(examples))
    browser = await startChromium()
  })

  afterAll(async () => {
    await browser?.close()
    removePrograms()
  })

  test.each(examples)('%s shows what is typed to all clients in the room', async (name) => {
    const program = await Program.start(name)
    const open = async (path: string): Promise<Page> => {
      const page = await browser.newPage()
      await page.goto(program.origin + path)
      await page.waitForFunction('socket.readyState === WebSocket.OPEN')
      return page
    }
    const say = async (page: Page, text: string): Promise<void> => {
      await page.getByPlaceholder('Say something').fill(text)
      await page.keyboard.press('Enter')
    }
    try {
      const [ada, bob, eve] = [await open('/'), await open('/'), await open('/#kitchen')]
      await say(eve, 'Dinner is ready.')
      await eve.getByText('Dinner is ready.').waitFor()
      await say(ada, 'Hello, Bob')
      await bob.getByText('Hello, Bob').waitFor()
      await ada.getByText('Hello, Bob').waitFor()
      expect(await bob.getByText('Dinner is ready.').count()).toBe(0)
    } finally {
      await program.end()
    }
  })
})
