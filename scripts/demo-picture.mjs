/**
 * Takes the picture of the demo for the README, `docs/images/demo.png`. With a folder as argument, it instead takes pictures
 * for reviewing the design: desktop and phone, light and dark. It needs Chromium; run `npm run build` first.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { WebSocket } from 'ws'
import { root } from './root.mjs'

const folder = process.argv[2]

const talk = [
  ['Ada', 'Morning! Did the new build go out?'],
  ['Grace', 'It did, an hour ago. One port for pages and sockets, so the proxy has one rule less.'],
  ['Grace', 'And the session check is the same middleware as everywhere.'],
  ['Bo', 'Nice. What happens if somebody is not logged in?'],
  ['Ada', 'They get a plain 401 before there is a WebSocket at all. Try the buttons on the right.'],
  ['Mei Lin', '403 for the foreign origin. Neat!'],
  ['Ada', 'And 426 for version 12.']
]

const elsewhere = [
  ['Kofi', 'deploys'],
  ['Ines', 'deploys'],
  ['Yuki', 'кухня']
]

/** Someone in a room without a browser. */
async function visit(origin, nickname, room = 'lobby') {
  const headers = { Cookie: `oneport_nickname=${encodeURIComponent(nickname)}` }
  const socket = new WebSocket(`${origin}/chat/${encodeURIComponent(room)}`, 'chat.v1', { headers })
  await once(socket, 'open')
  return socket
}

/** Opens the page, and has everyone talk. */
async function play(browser, origin, options) {
  const page = await browser.newPage(options)
  await page.goto(origin)
  await page.getByLabel('Nickname').fill('Ada')
  await page.keyboard.press('Enter')
  await page.getByText('Online', { exact: true }).waitFor()
  const others = new Map()
  for (const nickname of ['Grace', 'Bo', 'Mei Lin']) {
    others.set(nickname, await visit(origin.replace('http', 'ws'), nickname))
    await page.getByRole('log').getByText(`${nickname} joined`).waitFor()
  }
  for (const [nickname, room] of elsewhere)
    others.set(nickname, await visit(origin.replace('http', 'ws'), nickname, room))
  for (const [nickname, text] of talk) {
    if (nickname === 'Ada') {
      await page.getByRole('textbox', { name: 'Message' }).fill(text)
      await page.keyboard.press('Enter')
    } else {
      others.get(nickname).send(JSON.stringify({ type: 'say', text }))
    }
    await page.getByRole('log').getByText(text).waitFor()
  }
  return { page, leave: () => Promise.all([page.close(), ...Array.from(others.values(), (socket) => socket.close())]) }
}

async function provokeAll(page) {
  for (const [name, status] of Object.entries({ 'Foreign origin': 403, 'Version 12': 426, 'No login': 401 })) {
    await page.getByRole('button', { name }).click()
    await page.getByRole('button', { name: `${name} ${status}` }).waitFor()
  }
}

// On its usual port, if that is free: the picture shows it.
const demo = spawn(process.execPath, [join(root, 'packages/demo/dist/main.js')], {
  stdio: ['ignore', 'pipe', 'ignore']
})
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] })
try {
  let printed = ''
  while (!printed.includes('Ctrl-C')) printed += String((await once(demo.stdout, 'data'))[0])
  const [origin] = /http:\S+\d/.exec(printed)
  if (folder === undefined) {
    const { page } = await play(browser, origin, { viewport: { width: 1_440, height: 960 }, locale: 'en-GB' })
    await provokeAll(page)
    await page.getByRole('button', { name: 'This chat' }).click()
    await page.getByRole('textbox', { name: 'Message' }).focus()
    await page.screenshot({ path: join(root, 'docs/images/demo.png'), animations: 'disabled' })
  } else {
    mkdirSync(folder, { recursive: true })
    for (const colorScheme of ['light', 'dark']) {
      const shoot = (page, name) =>
        page.screenshot({ path: join(folder, `${name}-${colorScheme}.png`), animations: 'disabled' })
      const desktop = await play(browser, origin, {
        viewport: { width: 1_280, height: 800 },
        colorScheme,
        locale: 'en-GB'
      })
      await shoot(desktop.page, 'desktop')
      await provokeAll(desktop.page)
      await shoot(desktop.page, 'desktop-refused')
      await desktop.leave()
      const phone = await play(browser, origin, {
        viewport: { width: 390, height: 844 },
        deviceScaleFactor: 2,
        hasTouch: true,
        locale: 'en-GB',
        colorScheme
      })
      await shoot(phone.page, 'phone')
      await phone.page.getByRole('button', { name: 'Rooms and people' }).click()
      await shoot(phone.page, 'phone-rooms')
      await phone.page.keyboard.press('Escape')
      await phone.page.getByRole('button', { name: 'Handshake' }).click()
      await shoot(phone.page, 'phone-panel')
      await provokeAll(phone.page)
      await shoot(phone.page, 'phone-refused')
      await phone.leave()
    }
  }
} finally {
  await browser.close()
  demo.kill()
}
