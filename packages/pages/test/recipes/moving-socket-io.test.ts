import { chromium, describeWith, freePort } from '@oneport/test-kit'
import { buildSync } from 'esbuild'
import type { Page } from 'playwright-core'
import type { Program } from '../../src/program.ts'
import { expectComplaints, openPage, run, write } from '../stage.ts'

type Recipe = readonly [name: string, anyPath: string]

interface Chat {
  readonly folder: string
  readonly server: Program
  /** Opens the page of the chat. @param change what is different in its script */
  open(change?: (script: string) => string): Promise<Page>
}

const before: Recipe = ['moving-socket-io-before', '/socket.io/socket.io.js']
const after: Recipe = ['moving-socket-io', '/topics']

/** @param recipe with a path that its server answers, whatever it is */
async function start([recipe, anyPath]: Recipe): Promise<Chat> {
  const port = await freePort()
  const folder = write(recipe, { 3000: port })
  const server = await run(folder, ['server.js'], port)
  const { outputFiles } = buildSync({
    absWorkingDir: folder,
    entryPoints: ['main.js'],
    bundle: true,
    format: 'esm',
    write: false
  })
  const script = outputFiles[0]?.text ?? ''
  return {
    folder,
    server,
    async open(change = (text) => text) {
      // From the server itself: Chromium lets no other page connect to this machine.
      const page = await openPage(`${server.origin}${anyPath}`)
      await page.setContent('<ul></ul><form><input name="text" aria-label="Message"></form>')
      await page.addScriptTag({ content: change(script), type: 'module' })
      return page
    }
  }
}

const titled = (page: Page, title: string): Promise<unknown> =>
  page.waitForFunction(`document.title === ${JSON.stringify(title)}`, undefined, { polling: 20 })

async function say(page: Page, text: string): Promise<void> {
  await page.getByLabel('Message').fill(text)
  await page.getByLabel('Message').press('Enter')
}

const heard = (page: Page, text: string): Promise<void> => page.getByText(text, { exact: true }).waitFor()

const linesOf = (page: Page): Promise<string[]> => page.locator('li').allTextContents()

/** What both chats do. */
async function chats({ open }: Chat): Promise<readonly [ada: Page, bob: Page]> {
  const pages = [await open(), await open()] as const
  for (const page of pages) await titled(page, 'Connected')
  await say(pages[0], 'hello')
  for (const page of pages) await heard(page, 'hello')
  return pages
}

const stranger = (script: string): string => script.replace('token: "ada"', 'token: "eve"')

describeWith(chromium, 'the chat of the page about moving from Socket.IO', () => {
  test('works before', async () => {
    // Whoever is refused may be on the way from HTTP to a WebSocket.
    expectComplaints(/WebSocket connection/)
    const chat = await start(before)
    const [ada, bob] = await chats(chat)
    expect(await linesOf(bob)).toEqual(['Something may be missing.', 'hello'])
    expect(await linesOf(ada)).toEqual(['Something may be missing.', 'hello'])
    expect((await chat.server.connect('/socket.io/?EIO=4&transport=websocket', foreign)).status).toBe(101)
    await titled(await chat.open(stranger), 'Log in first.')
  })

  test('works after, and tells a newcomer what was said', async () => {
    expectComplaints(/WebSocket connection|status of 40[14]/)
    const chat = await start(after)
    const [ada, bob] = await chats(chat)
    expect(await linesOf(bob)).toEqual(['hello'])
    expect(await linesOf(ada)).toEqual(['hello'])
    const cleo = await chat.open()
    await heard(cleo, 'hello')
    expect((await chat.server.connect('/topics', foreign, ['oneport.topics.1', 'bearer.ada'])).status).toBe(403)
    await titled(await chat.open(stranger), 'Refused: 401')
  })

  test.each<[when: string, recipe: Recipe, warning: string]>([
    ['before', before, 'Something may be missing.'],
    ['after', after, 'Something is missing.']
  ])(
    '%s, a page says what is said while its server is away, and that something may be missing',
    async (_when, recipe, warning) => {
      expectComplaints(
        /WebSocket connection|status of 40[14]|ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET|ERR_INCOMPLETE/
      )
      const chat = await start(recipe)
      const [ada, bob] = await chats(chat)
      await chat.server.end('SIGKILL')
      await titled(ada, 'Connecting …')
      await say(ada, 'still here')
      await run(chat.folder, ['server.js'], chat.server.port)
      await heard(ada, 'still here')
      await titled(bob, 'Connected')
      await say(bob, 'me too')
      await heard(ada, 'me too')
      const lines = (await linesOf(ada)).slice(-4)
      expect(lines.filter((line) => line === warning).length).toBeGreaterThanOrEqual(1)
      expect(lines.filter((line) => line !== warning)).toEqual(['hello', 'still here', 'me too'])
    }
  )
})

const foreign = { origin: 'https://evil.example' }
