import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { extname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { type Attachment, attach, serveTopics } from '@oneport/core'
import { type Browser, browsers, describeWith } from '@oneport/test-kit'
import { createTopics, type Topics } from '@oneport/topics'
import { type Recipe, writeRecipe } from '../../src/recipes.ts'
import { provide } from '../stage.ts'

// Vite and browsers start slowly on a machine that does other things too.
jest.setTimeout(60_000)

const vite = require.resolve('vite/package.json').replace('package.json', 'bin/vite.js')
const script = require.resolve('@oneport/client/package.json').replace('package.json', 'dist/oneport.min.js')

/** Counts what goes wrong in a page, and gives the tests names for what people do. */
const people = `
  window.errors = []
  addEventListener('error', ({ message }) => errors.push(message))
  addEventListener('unhandledrejection', ({ reason }) => errors.push(String(reason)))
  window.lines = () => [...document.querySelectorAll('p')].map(({ textContent }) => textContent)
  window.state = () => document.querySelector('output')?.textContent
  window.say = (text) => {
    const form = document.querySelector('form')
    form.elements.text.value = text
    form.requestSubmit()
  }
  window.until = async (isSo) => {
    while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 10))
  }
`

const index = `<!doctype html><link rel="icon" href="data:,"><script>${people}</script>
  <div id="root"></div><script type="module" src="/main.js"></script>`

/** A chat as a reader builds it: what \`npm create vite\` has written, and what the page adds. */
interface Chat {
  readonly recipe: string
  readonly config: string
  /** Mounts \`Chat\`; \`show(topic)\` gives it another topic, and \`leave()\` unmounts it. */
  readonly main: string
  /** Renders \`Chat\` on a server, and prints it. */
  readonly render: string
  /** Which packages stand for others. */
  readonly versions?: Readonly<Record<string, string>>
}

const reactMain = `
  import { StrictMode, createElement, useEffect, version } from 'react'
  import { createRoot } from 'react-dom/client'
  import { Chat } from './chat.jsx'
  const root = createRoot(document.querySelector('#root'))
  Object.assign(window, { mounts: 0, version })
  const Mount = () => useEffect(() => { mounts++ }, [])
  window.show = (topic) => root.render(
    createElement(StrictMode, null, createElement(Mount), createElement(Chat, { topic }))
  )
  window.leave = () => root.unmount()
  show('chat/lobby')
`
const reactRender = `
  import { StrictMode, createElement } from 'react'
  import { renderToString } from 'react-dom/server'
  import { Chat } from './chat.jsx'
  console.log(renderToString(createElement(StrictMode, null, createElement(Chat, { topic: 'chat/lobby' }))))
`
const reactConfig = `
  import react from '@vitejs/plugin-react'
  export default { plugins: [react()], resolve: { dedupe: ['react', 'react-dom'] }, ssr: { noExternal: true } }
`

const chats: Record<string, Chat> = {
  'React 19': { recipe: 'client-react', config: reactConfig, main: reactMain, render: reactRender },
  'React 18': {
    recipe: 'client-react',
    config: reactConfig,
    main: reactMain,
    render: reactRender,
    versions: { react: 'react-18', 'react-dom': 'react-dom-18' }
  },
  'Vue 3': {
    recipe: 'client-vue',
    config: `
      import vue from '@vitejs/plugin-vue'
      export default { plugins: [vue()], ssr: { noExternal: true } }
    `,
    main: `
      import { createApp, h, ref } from 'vue'
      import Chat from './Chat.vue'
      const topic = ref('chat/lobby')
      const app = createApp({ render: () => h(Chat, { topic: topic.value }) })
      app.mount('#root')
      window.show = (other) => { topic.value = other }
      window.leave = () => app.unmount()
    `,
    render: `
      import { createSSRApp, h } from 'vue'
      import { renderToString } from 'vue/server-renderer'
      import Chat from './Chat.vue'
      console.log(await renderToString(createSSRApp({ render: () => h(Chat, { topic: 'chat/lobby' }) })))
    `
  },
  'Svelte 5': {
    recipe: 'client-svelte',
    config: `
      import { svelte } from '@sveltejs/vite-plugin-svelte'
      export default { plugins: [svelte()], ssr: { noExternal: true } }
    `,
    main: `
      import { mount, unmount } from 'svelte'
      import Chat from './Chat.svelte'
      import { props } from './props.svelte.js'
      const app = mount(Chat, { target: document.querySelector('#root'), props })
      window.show = (topic) => { props.topic = topic }
      window.leave = () => unmount(app)
    `,
    render: `
      import { render } from 'svelte/server'
      import Chat from './Chat.svelte'
      console.log(render(Chat, { props: { topic: 'chat/lobby' } }).body)
    `
  }
}

/** Gives a server what a page has, so that a chat that connects while it is rendered would be noticed. */
const platform = `
  import { WebSocket } from 'ws'
  Object.assign(globalThis, { WebSocket, location: new URL(process.env.PAGE) })
`

const { NODE_ENV: _test, ...environment } = process.env

async function runNode(folder: string, args: string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  const options = { cwd: folder, env: { ...environment, ...env }, timeout: 50_000 }
  const { stdout } = await promisify(execFile)(process.execPath, args, options)
  return stdout
}

/** Builds with React's checks for development, which mount everything twice. */
async function build({ recipe, config, main, render, versions = {} }: Chat): Promise<Recipe> {
  const files = {
    'index.html': index,
    'vite.config.js': config,
    'main.js': main,
    'render.js': render,
    'platform.js': platform,
    'props.svelte.js': `export const props = $state({ topic: 'chat/lobby' })`
  }
  const written = writeRecipe(recipe, {}, files)
  for (const [packageName, installed] of Object.entries(versions)) provide(written.folder, packageName, installed)
  await runNode(written.folder, [vite, 'build', '--logLevel', 'error'], { NODE_ENV: 'development' })
  return written
}

const types: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' }

let server: Server
let attachment: Attachment
let topics: Topics
/** Of each handshake, its connection. */
let connections: Socket[]
/** What handshakes wait for. */
let gate: Promise<void>

/** Serves the chat's topics, and its files. */
async function serve(fileOf: (path: string) => string | Buffer): Promise<string> {
  topics = createTopics({ history: { messages: 1_000, ms: 300_000 } })
  connections = []
  gate = Promise.resolve()
  server = createServer(async (req, res) => {
    const { pathname } = new URL(req.url ?? '', 'http://localhost')
    if (pathname !== '/topics') {
      const path = pathname === '/' ? '/index.html' : pathname
      return res.setHeader('Content-Type', types[extname(path)] ?? 'text/plain').end(fileOf(path))
    }
    if (req.headers.upgrade !== undefined) connections.push(req.socket)
    await gate
    const mayPublish = (_topic: string, data: string | Buffer): boolean => data !== 'forbidden'
    return serveTopics(req, res, topics, { mayRead: () => true, mayPublish })
  })
  attachment = attach(server)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

afterEach(async () => {
  await topics.close()
  server.closeAllConnections()
  for (const connection of connections) connection.destroy()
  await once(server.close(), 'close')
})

/** Waits until the server has so many connections. */
async function untilOpen(count: number): Promise<void> {
  while (attachment.stats().open !== count) await sleep(10)
}

/** The lines of a page, once there is a certain one. */
const linesWith = (tab: Browser, line: string): Promise<unknown> =>
  tab.evaluate(`until(() => lines().includes(${JSON.stringify(line)})).then(lines)`)

const isShown = (tab: Browser, state: string): Promise<unknown> =>
  tab.evaluate(`until(() => state() === ${JSON.stringify(state)})`)

const say = (tab: Browser, text: string): Promise<unknown> => tab.evaluate(`say(${JSON.stringify(text)})`)

async function chatsWithoutLoss(tab: Browser, open: () => Promise<void>): Promise<void> {
  topics.publish('chat/lobby', 'before')
  await open()
  expect(await linesWith(tab, 'before')).toEqual(['before'])
  await isShown(tab, 'Connected')
  await say(tab, 'mine')
  expect(await linesWith(tab, 'mine')).toEqual(['before', 'mine'])
  expect(await tab.evaluate('state()')).toBe('Connected')
  await say(tab, 'forbidden')
  expect(await linesWith(tab, 'Not sent: forbidden')).toEqual(['before', 'mine', 'Not sent: forbidden'])
  await untilOpen(1)
  expect(connections.length).toBe(1)

  let pass = (): void => {}
  gate = new Promise((resolve) => {
    pass = resolve
  })
  connections[0]?.destroy()
  await isShown(tab, 'Connecting …')
  topics.publish('chat/lobby', 'missed')
  await say(tab, 'said while away')
  pass()
  await linesWith(tab, 'said while away')
  await isShown(tab, 'Connected')
  topics.publish('chat/lobby', 'after')
  expect(await linesWith(tab, 'after')).toEqual([
    ...['before', 'mine', 'Not sent: forbidden', 'missed', 'said while away', 'after']
  ])
  await untilOpen(1)
  expect(connections.length).toBe(2)
}

async function saysThatMessagesAreMissing(tab: Browser): Promise<void> {
  // Another process without the history.
  const empty = createTopics({ history: {} })
  const before = topics
  topics = empty
  connections.at(-1)?.destroy()
  expect(await linesWith(tab, 'Some messages are missing.')).toContain('after')
  await before.close()
}

describe.each(Object.entries(chats))('with %s on a server', (_name, chat) => {
  test('a chat is rendered, and nothing connects', async () => {
    const recipe = await build(chat)
    const page = await serve(() => '')
    let requests = 0
    server.on('connection', () => requests++)
    try {
      await runNode(recipe.folder, [vite, 'build', '--ssr', 'render.js', '--outDir', 'server', '--logLevel', 'error'])
      const html = await runNode(recipe.folder, ['--import', './platform.js', 'server/render.js'], { PAGE: page })
      expect(html).toMatch(
        /^(?:<!--[^>]*-->)?<form>.*<output>Connecting …<\/output>.*<input [^>]*name="text".*<\/form>/s
      )
      expect(requests).toBe(0)
    } finally {
      recipe.remove()
    }
  })
})

for (const [browserName, program, openBrowser] of browsers) {
  describeWith(program, `in ${browserName}`, () => {
    let tab: Browser
    beforeAll(async () => {
      tab = await openBrowser()
    })
    afterAll(() => tab?.close())
    afterEach(async () => {
      expect(await tab.evaluate('errors')).toEqual([])
      await tab.goTo('about:blank')
    })

    describe.each(Object.entries(chats))('with %s', (name, chat) => {
      let recipe: Recipe
      let url: string
      beforeAll(async () => {
        recipe = await build(chat)
      })
      afterAll(() => recipe?.remove())
      beforeEach(async () => {
        url = await serve((path) => readFileSync(join(recipe.folder, 'dist', path)))
      })

      test('a chat loses and doubles nothing over a lost connection, and says what is missing', async () => {
        await chatsWithoutLoss(tab, () => tab.goTo(url))
        await saysThatMessagesAreMissing(tab)
      })

      test('another topic replaces the first one, and its connection', async () => {
        topics.publish('chat/lobby', 'in the lobby')
        topics.publish('chat/kitchen', 'in the kitchen')
        await tab.goTo(url)
        await linesWith(tab, 'in the lobby')
        await tab.evaluate("void show('chat/kitchen')")
        expect(await linesWith(tab, 'in the kitchen')).toEqual(['in the kitchen'])
        topics.publish('chat/lobby', 'more in the lobby')
        await isShown(tab, 'Connected')
        await say(tab, 'dinner')
        expect(await linesWith(tab, 'dinner')).toEqual(['in the kitchen', 'dinner'])
        await untilOpen(1)
        expect(connections.length).toBe(2)
      })

      test('a chat that leaves the page ends its connection', async () => {
        await tab.goTo(url)
        await isShown(tab, 'Connected')
        await untilOpen(1)
        await tab.evaluate('void leave()')
        await untilOpen(0)
        expect([await tab.evaluate('state()'), connections.length]).toEqual([undefined, 1])
      })

      if (name.startsWith('React')) {
        test('StrictMode mounts everything twice, and there is one handshake', async () => {
          topics.publish('chat/lobby', 'before')
          await tab.goTo(url)
          await linesWith(tab, 'before')
          // A second connection would have come by then.
          await say(tab, 'mine')
          await linesWith(tab, 'mine')
          topics.publish('chat/lobby', 'after')
          expect(await linesWith(tab, 'after')).toEqual(['before', 'mine', 'after'])
          await untilOpen(1)
          expect([await tab.evaluate('mounts'), connections.length]).toEqual([2, 1])
          expect(`React ${await tab.evaluate('parseInt(version)')}`).toBe(name)
        })
      }
    })

    describe('without a framework', () => {
      test('a chat loses and doubles nothing over a lost connection, and ends when the page is left', async () => {
        const { folder, remove } = writeRecipe('client-plain', {})
        try {
          const file = readFileSync(join(folder, 'index.html'), 'utf8')
          const page = file.replace('<script', `<link rel="icon" href="data:,"><script>${people}</script><script`)
          const url = await serve((path) => (path === '/index.html' ? page : readFileSync(script)))
          await chatsWithoutLoss(tab, () => tab.goTo(url))
          await saysThatMessagesAreMissing(tab)
          await tab.goTo(`${url}oneport.min.js`)
          await untilOpen(0)
          await tab.goTo(url)
        } finally {
          remove()
        }
      })
    })
  })
}
