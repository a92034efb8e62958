import { chromium, describeWith } from '@oneport/test-kit'
import { lookFor } from '../proxies/installed.ts'
import { openPage, start } from '../stage.ts'

const { hint, isInstalled } = lookFor('nginx', 'nginx')
const describeNginx = isInstalled ? describe : describe.skip
/** Any free port, because another test may be using the default one. */
const anyPort = { APP_PORT: '0' }

describeNginx(`the application nginx${hint}`, () => {
  test('learns the address of the visitor from nginx, and from no one else', async () => {
    const program = await start('nginx', anyPort)
    const forged = { 'X-Forwarded-For': '192.0.2.1', 'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Proto': 'https' }
    const options = { origin: program.origin, headers: forged, family: 4, localAddress: '127.0.0.2' }
    const { next, socket } = await program.connect('/visitor', options)
    expect(JSON.parse(await next())).toEqual({
      address: '127.0.0.2',
      scheme: 'http',
      host: `localhost:${program.port}`
    })
    socket.send('hello')
    expect(JSON.parse(await next())).toEqual({ echo: 'hello' })
  })

  test('security: refuses pages of other sites, and those of its own name with another scheme', async () => {
    const program = await start('nginx', anyPort)
    for (const origin of ['https://evil.example', program.origin.replace('http:', 'https:')]) {
      expect((await program.connect('/visitor', { origin })).status).toBe(403)
    }
  })

  test.each(['SIGINT', 'SIGTERM'] as const)(
    'closes its clients with 1001 on %s, and exits together with nginx',
    async (signal) => {
      const program = await start('nginx', anyPort)
      const { closed } = await program.connect('/visitor')
      expect(await program.signal(signal)).toBe(0)
      expect((await closed).code).toBe(1001)
      await expect(program.fetch('/')).rejects.toThrow('fetch failed')
    }
  )

  describeWith(chromium, 'in Chromium', () => {
    test('has a page that works through nginx', async () => {
      const program = await start('nginx', anyPort)
      const page = await openPage(program.origin)
      await page.getByText('Connected through nginx.').waitFor()
      await page.getByText(`you opened ${program.origin}.`).waitFor()
      await page.getByLabel('Message').fill('<i>hello</i>')
      await page.keyboard.press('Enter')
      await page.getByRole('log').getByText('<i>hello</i>').waitFor()
      await program.signal('SIGINT')
      await page.getByText('The connection has ended with code 1001.').waitFor()
    })
  })
})
