import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Program } from '@oneport/kit'
import { WebSocket } from 'ws'
import type { OnlineBrowser, Tab } from './browser.ts'

export const firefox: Program = { path: '/usr/bin/firefox-esr', aptPackage: 'firefox-esr' }

/** Requests of Firefox to Mozilla go to a port where nothing listens. Requests to localhost are never proxied. */
const preferences = `
user_pref("network.proxy.type", 1);
user_pref("network.proxy.http", "127.0.0.1");
user_pref("network.proxy.http_port", 9);
user_pref("network.proxy.ssl", "127.0.0.1");
user_pref("network.proxy.ssl_port", 9);
user_pref("network.proxy.allow_bypass", false);
user_pref("network.proxy.failover_direct", false);
`

/** What makes a host name lead to this machine. */
const preferencesFor = (name: string): string => `
user_pref("network.dns.localDomains", "${name}");
user_pref("network.proxy.no_proxies_on", "${name}");
`

/** A browser that can be stopped as a whole, as all processes are when a laptop sleeps. */
export interface SleepyBrowser extends OnlineBrowser {
  sleep(): void
  wake(): void
}

/** Opens Firefox with one tab and a profile of its own. @param name a host name that leads to this machine */
export async function openFirefox(name?: string): Promise<SleepyBrowser> {
  const profile = mkdtempSync(join(tmpdir(), 'oneport-firefox-'))
  writeFileSync(join(profile, 'user.js'), preferences + (name === undefined ? '' : preferencesFor(name)))
  const args = ['--headless', '--remote-debugging-port', '0', '--profile', profile]
  const env = { ...process.env, HOME: profile }
  const firefoxProcess = spawn(firefox.path, args, { env, stdio: ['ignore', 'ignore', 'pipe'] })
  const ended = once(firefoxProcess, 'close').finally(() => rmSync(profile, { recursive: true }))
  const close = async (): Promise<void> => {
    firefoxProcess.kill('SIGKILL')
    await ended
  }
  try {
    return {
      ...(await openTabs(await readAddress(firefoxProcess))),
      close,
      sleep: () => void firefoxProcess.kill('SIGSTOP'),
      wake: () => void firefoxProcess.kill('SIGCONT')
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** Waits for Firefox to print the address of its remote protocol. */
function readAddress(firefoxProcess: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let printed = ''
    firefoxProcess.stderr?.on('data', (chunk: Buffer) => {
      printed += chunk.toString()
      const [, address] = /listening on (ws:\S+)\n/.exec(printed) ?? []
      if (address !== undefined) resolve(`${address}/session`)
    })
    firefoxProcess.once('error', reject)
    firefoxProcess.once('close', () => reject(new Error(`Firefox exited. It printed: ${printed}`)))
  })
}

/** Uses the tab that is open at the start (https://www.w3.org/TR/webdriver-bidi/). */
async function openTabs(address: string): Promise<OnlineBrowser> {
  const session = await openSession(address)
  await session.send('session.new', { capabilities: { alwaysMatch: { acceptInsecureCerts: true } } })
  const { contexts } = await session.send<{ contexts: [{ context: string }] }>('browsingContext.getTree', {})
  return {
    ...tabOf(session, contexts[0].context),
    async openTab() {
      const { context } = await session.send<{ context: string }>('browsingContext.create', { type: 'tab' })
      return tabOf(session, context)
    },
    async setOffline(isOffline) {
      await session.send('emulation.setNetworkConditions', {
        networkConditions: isOffline ? { type: 'offline' } : null
      })
    }
  }
}

const tabOf = (session: Session, context: string): Tab => ({
  async goTo(url) {
    await session.send('browsingContext.navigate', { context, url, wait: 'complete' })
  },
  async evaluate(expression) {
    const { result, exceptionDetails } = await session.send<Evaluated>('script.evaluate', {
      expression: `Promise.resolve(${expression}).then(JSON.stringify)`,
      target: { context },
      awaitPromise: true
    })
    if (exceptionDetails !== undefined) throw new Error(exceptionDetails.text)
    return result?.value === undefined ? undefined : JSON.parse(result.value)
  },
  async close() {
    await session.send('browsingContext.close', { context })
  }
})

interface Evaluated {
  /** Missing if the expression threw; without a `value` if the expression is undefined. */
  readonly result?: { readonly value?: string }
  readonly exceptionDetails?: { readonly text: string }
}

interface Session {
  send<Result>(method: string, params: object): Promise<Result>
}

/** A client for WebDriver BiDi: an answer carries the id of its command. */
async function openSession(address: string): Promise<Session> {
  const socket = new WebSocket(address)
  await once(socket, 'open')
  // Firefox exits without a closing handshake.
  socket.on('error', () => {})
  let last = 0
  return {
    send: (method, params) =>
      new Promise((resolve, reject) => {
        const id = ++last
        const settle = (data: unknown): void => {
          const answer = JSON.parse(String(data))
          if (answer.id !== id) return
          socket.off('message', settle)
          if (answer.type === 'success') resolve(answer.result)
          else reject(new Error(`${method}: ${answer.message}`))
        }
        socket.on('message', settle)
        socket.send(JSON.stringify({ id, method, params }))
      })
  }
}
