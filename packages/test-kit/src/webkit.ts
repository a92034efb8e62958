import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort, type Program } from '@oneport/kit'
import type { Browser, Tab } from './browser.ts'

/** The engine of Safari, in the small browser that comes with it for GTK. It needs a display. */
export const webkit: Program = { path: '/usr/bin/WebKitWebDriver', aptPackage: 'webkit2gtk-driver xvfb' }

/** Opens WebKit with one tab, on a display that nobody sees. */
export async function openWebKit(): Promise<Browser> {
  const home = mkdtempSync(join(tmpdir(), 'oneport-webkit-'))
  const started: ChildProcess[] = []
  let driver: Driver | undefined
  const close = async (): Promise<void> => {
    // The browser is a process of its own.
    await driver?.call('DELETE', '').catch(() => {})
    for (const child of started.reverse()) {
      const ended = once(child, 'exit')
      if (child.kill('SIGKILL')) await ended
    }
    rmSync(home, { recursive: true, force: true, maxRetries: 5 })
  }
  try {
    const display = spawn('Xvfb', ['-displayfd', '3', '-nolisten', 'tcp'], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe']
    })
    started.push(display)
    const [number] = (await Promise.race([
      once(display.stdio[3] as Readable, 'data'),
      once(display, 'exit').then(() => {
        throw new Error('Xvfb does not start.')
      })
    ])) as [Buffer]
    const port = await freePort()
    const env = { ...process.env, HOME: home, DISPLAY: `:${String(number).trim()}` }
    const child = spawn(webkit.path, [`--port=${port}`], { env, stdio: 'ignore' })
    started.push(child)
    driver = await openSession(`http://127.0.0.1:${port}`, child)
    const session = driver
    const first = await session.call<string>('GET', '/window')
    return {
      ...tabOf(session, first),
      close,
      async openTab() {
        const open = () => session.call<{ handle: string }>('POST', '/window/new', { type: 'tab' })
        return tabOf(session, (await session.inTab(first, open)).handle)
      }
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** A client for WebDriver: https://www.w3.org/TR/webdriver/ */
interface Driver {
  /** One command. */
  call<Result>(method: string, path: string, body?: object): Promise<Result>
  /** Commands for one tab, with none for another tab in between. */
  inTab<Result>(handle: string, work: () => Promise<Result>): Promise<Result>
}

async function openSession(address: string, child: ChildProcess): Promise<Driver> {
  const request = async (method: string, path: string, body?: object) => {
    const text = body === undefined ? undefined : JSON.stringify(body)
    const response = await fetch(address + path, { method, ...(text !== undefined && { body: text }) })
    const { value } = (await response.json()) as { value: { message?: string } }
    if (!response.ok) throw new Error(`${method} ${path}: ${value.message}`)
    return value
  }
  while (!(await fetch(`${address}/status`).catch(() => undefined))) {
    if (child.exitCode !== null) throw new Error(`${webkit.path} exited with ${child.exitCode}.`)
    await sleep(20)
  }
  const capabilities = { alwaysMatch: { acceptInsecureCerts: true } }
  const { sessionId } = (await request('POST', '/session', { capabilities })) as { sessionId: string }
  const call: Driver['call'] = async <Result>(method: string, path: string, body?: object) =>
    (await request(method, `/session/${sessionId}${path}`, body)) as Result
  let last: Promise<unknown> = Promise.resolve()
  return {
    call,
    inTab(handle, work) {
      const done = last.then(async () => {
        await call('POST', '/window', { handle })
        return work()
      })
      last = done.catch(() => {})
      return done
    }
  }
}

/** What a page tells of an expression; null if it has been left. */
type Outcome = { readonly value?: string | null; readonly error?: string } | 'pending' | null

/** The driver has one command at a time, so a page is asked again and again about a promise. */
function tabOf(driver: Driver, handle: string): Tab {
  let count = 0
  const run = (script: string): Promise<Outcome> =>
    driver.inTab(handle, () => driver.call('POST', '/execute/sync', { script, args: [] }))
  return {
    async goTo(url) {
      await driver.inTab(handle, () => driver.call('POST', '/url', { url }))
    },
    async evaluate(expression) {
      const name = `outcome${++count}`
      let outcome = await run(`
        const value = ${expression}
        if (typeof value?.then !== 'function') return { value: JSON.stringify(value) }
        value.then(JSON.stringify).then(
          (value) => { window.${name} = { value } },
          (error) => { window.${name} = { error: String(error) } }
        )
        return window.${name} = 'pending'`)
      while (outcome === 'pending') {
        await sleep(10)
        outcome = await run(`return window.${name} ?? null`)
      }
      if (outcome === null) throw new Error('The page was left.')
      if (outcome.error !== undefined) throw new Error(outcome.error)
      return typeof outcome.value === 'string' ? JSON.parse(outcome.value) : undefined
    },
    async close() {
      await driver.inTab(handle, () => driver.call('DELETE', '/window'))
    }
  }
}
