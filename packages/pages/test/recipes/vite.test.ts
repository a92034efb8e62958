import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { chromium, describeWith, freePort } from '@oneport/test-kit'
import type { Program } from '../../src/program.ts'
import { expectComplaints, openPage, run, write } from '../stage.ts'

const cli = require.resolve('vite/package.json').replace('package.json', 'bin/vite.js')

const index = '<!doctype html><link rel="icon" href="data:,"><body><script type="module" src="/main.js"></script>'

/** Starts both servers. @param change what is otherwise in the configuration */
async function start(
  change: (config: string) => string = (config) => config
): Promise<{ server: Program; vite: Program }> {
  const [vitePort, port] = [await freePort(), await freePort()]
  const folder = write('vite', { 3000: port, 5173: vitePort }, { 'index.html': index })
  const config = join(folder, 'vite.config.js')
  writeFileSync(config, change(readFileSync(config, 'utf8')))
  const server = await run(folder, ['server.js'], port)
  const vite = await run(folder, [cli, '--strictPort'], vitePort)
  // Before, Vite listens for a moment to see whether the port is free, and hangs up on who connects then.
  await vite.printed('Local')
  return { server, vite }
}

describeWith(chromium, "the recipe for Vite's own server", () => {
  test('hands the WebSocket on, with nothing to allow', async () => {
    const { vite } = await start()
    const page = await openPage(vite.origin)
    await page.getByText('Welcome.').waitFor()
    expect((await vite.connect('/api/chat', { origin: 'https://evil.example' })).status).toBe(403)
  })

  test.each<[what: string, change: (config: string) => string]>([
    ['changeOrigin', (config) => config.replace('ws: true', 'ws: true, changeOrigin: true')],
    [
      'a target that is a string',
      (config) => config.replace(/\{ target: ('ht.*'), ws: true \}/, "$1.replace('http', 'ws')")
    ]
  ])('is refused with %s, and the log names the host', async (_what, change) => {
    const { server, vite } = await start(change)
    expectComplaints(/WebSocket/)
    const page = await openPage(vite.origin)
    await page.getByText('The connection has ended with code 1006.').waitFor()
    await server.printed(`effective host "localhost:${server.port}"`)
  })

  test('security: with rewriteWsOrigin lets every page in', async () => {
    const options = 'ws: true, changeOrigin: true, rewriteWsOrigin: true'
    const { vite } = await start((config) => config.replace('ws: true', options))
    expect((await vite.connect('/api/chat', { origin: 'https://evil.example' })).status).toBe(101)
  })
})
