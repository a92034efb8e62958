import { join } from 'node:path'
import { cases } from '@oneport/adapter-testsuite'
import { freePort, runNode } from '@oneport/test-kit'
import { Program } from '../src/program.ts'

const folder = join(__dirname, 'adapter')

/** The contract takes a while on a machine that may be busy. */
const patienceMs = 120_000

describe('the adapter that docs/adapters.md builds', () => {
  test('serves the application of the page', async () => {
    const port = await freePort()
    const program = await Program.run('The application', ['server.mjs'], folder, { PORT: String(port) }, port)
    try {
      const { headers, next, socket } = await program.connect('/chat', {}, ['chat.v1'])
      expect([headers['x-endpoint'], socket.protocol, await next()]).toEqual(['/chat', 'chat.v1', 'Welcome to /chat.'])
      const { body, status } = await program.connect('/chat', { origin: 'https://evil.example' })
      expect([status, body]).toEqual([403, 'Origin "https://evil.example" is not allowed here.'])
      expect((await program.fetch('/chat')).status).toBe(426)
    } finally {
      await program.end()
    }
  })

  test(
    'passes the contract as the page runs it',
    async () => {
      const args = ['--test', '--test-reporter=tap', 'contract.test.mjs']
      const { exitCode, output } = await runNode(args, folder, patienceMs)
      expect(exitCode === 0 ? '' : output).toBe('')
      const all = cases(() => Promise.reject(new Error('Never started')), { http2: true })
      expect(/^# pass (\d+)$/m.exec(output)?.[1]).toBe(String(all.length))
    },
    patienceMs + 10_000
  )
})
