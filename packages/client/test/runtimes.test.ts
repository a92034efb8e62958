import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { installed } from '../../runtimes/test/installed.ts'
import { openSite } from './site.ts'

jest.setTimeout(30_000)

const program = join(__dirname, 'every-runtime.mjs')

describe.each(installed)('$name', ({ path, args }) => {
  const run = path === undefined ? test.skip : test

  run('comes back, and lets its process exit', async () => {
    const site = await openSite({}, (socket) => {
      socket.on('message', () => socket.send('bye'))
      if (site.handshakes.length === 1) setImmediate(() => socket.terminate())
    })
    const { stdout } = await promisify(execFile)(path ?? '', [...args, program, site.url], { timeout: 20_000 })
    expect(JSON.parse(stdout)).toEqual(['open', 'close 1006 false 0', 'open', 'message bye', 'close 3000 true 3'])
  })
})
