/**
 * Takes the picture of the demo for the README, `docs/images/demo.png`. With a folder as argument, it instead takes pictures
 * for reviewing the design: desktop and phone, light and dark. It needs Chromium; run `npm run build` first.
 */
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { on, once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { WebSocket } from 'ws'
import { root } from './root.mjs'

const folder = process.argv[2]

const before = [
  ['Ada', 'Morning! Did the new build go out?'],
  ['Grace', 'It did, an hour ago. One port for pages and sockets, so the proxy has one rule less.'],
  ['Ada', 'Lovely. I am boarding, so airplane mode it is.']
]
const meanwhile = [
  ['Bo', 'One process ran hot just now. I killed it.'],
  ['Bo', 'Did anybody notice?'],
  ['Mei Lin', 'No. Everybody is still here, on another one.'],
  ['Grace', 'And nothing that was said is lost.']
]
const written = 'Above the clouds. Can you read this?'
const after = [['Mei Lin', 'We can, Ada. Welcome back!']]

/** So that the times in the picture differ, in milliseconds. */
const flightMs = 9_000

const elsewhere = [
  ['Kofi', 'deploys'],
  ['Ines', 'deploys'],
  ['Yuki', 'кухня']
]

/** Someone in a room without a browser. */
async function visit(origin, nickname, room = 'lobby') {
  const headers = { Cookie: `oneport_nickname=${encodeURIComponent(nickname)}` }
  const socket = new WebSocket(`${origin}/chat/${encodeURIComponent(room)}`, 'oneport.topics.1', { headers })
  await once(socket, 'open')
  socket.send('subscribe - people')
  return {
    /** Says something, and waits until it is in the room. */
    async say(text) {
      const id = randomUUID().replaceAll('-', '')
      socket.send(`publish ${id} room/${room}\n${JSON.stringify({ id, nickname, text, at: Date.now() })}`)
      for await (const [answer] of on(socket, 'message')) if (String(answer).startsWith(`published ${id}`)) return
    },
    leave: () => socket.close()
  }
}

const heard = (page, text) => page.locator('#messages').getByText(text).waitFor()

async function write(page, text) {
  await page.getByRole('textbox', { name: 'Message' }).fill(text)
  await page.keyboard.press('Enter')
}

/** Starts the demo, opens the page, and has everyone talk. */
async function play(browser, options) {
  // On its usual port, if that is free: the picture shows it.
  const demo = spawn(process.execPath, [join(root, 'packages/demo/dist/main.js')], {
    stdio: ['ignore', 'pipe', 'ignore']
  })
  let printed = ''
  while (!printed.includes('Ctrl-C')) printed += String((await once(demo.stdout, 'data'))[0])
  const [origin] = /http:\S+\d/.exec(printed)
  const page = await browser.newPage({ locale: 'en-GB', ...options })
  await page.goto(origin)
  await page.getByLabel('Nickname').fill('Ada')
  await page.keyboard.press('Enter')
  await page.getByText('Online', { exact: true }).waitFor()
  const others = new Map()
  const enter = async (nickname, room) =>
    others.set(nickname, await visit(origin.replace('http', 'ws'), nickname, room))
  for (const nickname of ['Grace', 'Bo', 'Mei Lin']) {
    await enter(nickname)
    await heard(page, `${nickname} joined`)
  }
  for (const [nickname, room] of elsewhere) await enter(nickname, room)
  const talk = async (lines) => {
    for (const [nickname, text] of lines) {
      if (nickname === 'Ada') await write(page, text)
      else await others.get(nickname).say(text)
      await heard(page, text)
    }
  }
  const choose = (name) => page.locator('.modes label').filter({ hasText: name }).click()
  await talk(before)
  return {
    page,
    /** Ada flies, and lands. */
    async fly(shoot = async () => {}) {
      await choose('Airplane mode')
      await page.getByText('Offline', { exact: true }).waitFor()
      await page.waitForTimeout(flightMs / 2)
      for (const [nickname, text] of meanwhile) await others.get(nickname).say(text)
      await write(page, written)
      await page.getByRole('log').getByText('Waiting', { exact: true }).waitFor()
      await shoot()
      await page.waitForTimeout(flightMs / 2)
      await choose('Normal')
      await page.getByText('4 messages, caught up').waitFor()
      await talk(after)
    },
    async leave() {
      await page.close()
      for (const other of others.values()) other.leave()
      const ended = once(demo, 'exit')
      demo.kill()
      await ended
    }
  }
}

async function provokeAll(page) {
  for (const [name, status] of Object.entries({ 'Foreign origin': 403, 'Version 12': 426, 'No login': 401 })) {
    await page.getByRole('button', { name }).click()
    await page.getByRole('button', { name: `${name} ${status}` }).waitFor()
  }
}

const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] })
try {
  if (folder === undefined) {
    const { page, fly, leave } = await play(browser, {
      viewport: { width: 1_280, height: 860 },
      deviceScaleFactor: 1.5
    })
    await fly()
    await page.getByText('Handshake', { exact: true }).click()
    await page.getByRole('textbox', { name: 'Message' }).focus()
    await page.screenshot({ path: join(root, 'docs/images/demo.png'), animations: 'disabled' })
    await leave()
  } else {
    mkdirSync(folder, { recursive: true })
    for (const colorScheme of ['light', 'dark']) {
      const shoot = (page, name) =>
        page.screenshot({ path: join(folder, `${name}-${colorScheme}.png`), animations: 'disabled' })
      const desktop = await play(browser, { viewport: { width: 1_280, height: 800 }, colorScheme })
      await shoot(desktop.page, 'desktop')
      await desktop.fly(() => shoot(desktop.page, 'desktop-airplane'))
      await shoot(desktop.page, 'desktop-back')
      await provokeAll(desktop.page)
      await shoot(desktop.page, 'desktop-refused')
      await desktop.leave()
      const phone = await play(browser, {
        viewport: { width: 390, height: 844 },
        deviceScaleFactor: 2,
        hasTouch: true,
        colorScheme
      })
      await shoot(phone.page, 'phone')
      await phone.page.getByRole('button', { name: 'Rooms and people' }).click()
      await shoot(phone.page, 'phone-rooms')
      await phone.page.keyboard.press('Escape')
      await phone.page.getByRole('button', { name: 'Network and handshake' }).click()
      await shoot(phone.page, 'phone-panel')
      await provokeAll(phone.page)
      await shoot(phone.page, 'phone-refused')
      await phone.leave()
    }
  }
} finally {
  await browser.close()
}
