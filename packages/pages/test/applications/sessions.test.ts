import { chromium, describeWith } from '@oneport/test-kit'
import { Program } from '../../src/program.ts'
import { expectComplaints, openPage, openTab, start } from '../stage.ts'

const secret = { SESSION_SECRET: 'of the tests' }

function logIn(program: Program, name: string, password: string, headers: Record<string, string> = {}) {
  const body = JSON.stringify({ name, password })
  return program.fetch('/login', { method: 'POST', body, headers: { 'Content-Type': 'application/json', ...headers } })
}

/** The cookie that a response sets, in the form in which a client sends it back. */
const cookieOf = (response: Response): string => response.headers.getSetCookie()[0]?.split(';', 1)[0] ?? ''

describe('the application sessions', () => {
  test('refuses a handshake without a login, and accepts one with it', async () => {
    const program = await start('sessions', secret)
    const { status, body } = await program.connect('/board')
    expect([status, JSON.parse(body)]).toEqual([401, { message: 'Log in first.' }])

    const headers = { Cookie: cookieOf(await logIn(program, 'ada', 'lovelace')) }
    expect(await (await program.fetch('/me', { headers })).json()).toEqual({ name: 'ada' })
    const [ada, again] = [await program.connect('/board', { headers }), await program.connect('/board', { headers })]
    ada.socket.send('hello')
    expect(JSON.parse(await again.next())).toEqual({ name: 'ada', text: 'hello' })
  })

  test('closes the sockets of a session that ends, and no others', async () => {
    const program = await start('sessions', secret)
    const join = async (name: string, password: string) => {
      const cookie = { Cookie: cookieOf(await logIn(program, name, password)) }
      return { cookie, ...(await program.connect('/board', { headers: cookie })) }
    }
    const [ada, grace] = [await join('ada', 'lovelace'), await join('grace', 'hopper')]
    const logout = await program.fetch('/logout', { method: 'POST', headers: ada.cookie })
    expect(await logout.json()).toEqual({ closed: 1 })
    expect(await ada.closed).toEqual({ code: 4401, reason: 'logged out' })
    expect((await program.connect('/board', { headers: ada.cookie })).status).toBe(401)
    grace.socket.send('still here')
    expect(JSON.parse(await grace.next())).toEqual({ name: 'grace', text: 'still here' })
  })

  test('refuses a wrong password and an unknown name', async () => {
    const program = await start('sessions', secret)
    for (const [name, password] of [
      ['ada', 'hopper'],
      ['eve', 'lovelace'],
      ['__proto__', 'lovelace']
    ] as const) {
      const answer = await logIn(program, name, password)
      expect([answer.status, answer.headers.getSetCookie()]).toEqual([401, []])
    }
  })

  test('refuses a login that is not text', async () => {
    const program = await start('sessions', secret)
    const headers = { 'Content-Type': 'application/json' }
    for (const body of ['{"name":["ada"],"password":{}}', '{}', 'null']) {
      const { status } = await program.fetch('/login', { method: 'POST', headers, body })
      expect([400, 401]).toContain(status)
    }
  })

  test('security: scripts cannot read the cookie, other sites do not send it, and each login has a session of its own', async () => {
    const program = await start('sessions', secret)
    const first = await logIn(program, 'ada', 'lovelace')
    expect(first.headers.getSetCookie()[0]).toMatch(/^session=.*; HttpOnly; SameSite=Lax$/)
    const second = await logIn(program, 'grace', 'hopper', { Cookie: cookieOf(first) })
    expect(cookieOf(second)).not.toBe(cookieOf(first))
    expect((await program.connect('/board', { headers: { Cookie: cookieOf(first) } })).status).toBe(401)
    const headers = { Cookie: cookieOf(second) }
    expect((await program.connect('/board', { headers, origin: 'https://evil.example' })).status).toBe(403)
  })

  test('warns that it has no secret, and does not start without one in production', async () => {
    const program = await start('sessions')
    await program.printed('SESSION_SECRET is not set')
    await expect(Program.startApplication('sessions', { NODE_ENV: 'production' })).rejects.toThrow(
      'Set SESSION_SECRET to a long random text.'
    )
  })
})

describeWith(chromium, 'the page of the application sessions', () => {
  test('logs in, and logs out in all tabs', async () => {
    const program = await start('sessions', secret)
    expectComplaints(/401|Authentication/)
    const page = await openPage(program.origin)
    await page.getByText('You are not logged in.').waitFor()
    await page.getByRole('button', { name: 'Connect without logging in' }).click()
    await page.getByText('Refused: log in first.').waitFor()

    await page.getByLabel('Name').fill('ada')
    await page.getByLabel('Password').fill('wrong')
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByText('Wrong name or password.').waitFor()
    await page.getByLabel('Password').fill('lovelace')
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByText('You are ada.').waitFor()

    const tab = await openTab(page.context(), program.origin)
    await tab.getByText('You are ada.').waitFor()
    await tab.getByLabel('Message').fill('<i>hello</i>')
    await tab.getByRole('button', { name: 'Write' }).click()
    await page.getByRole('log').getByText('ada <i>hello</i>').waitFor()

    await page.getByRole('button', { name: 'Log out' }).click()
    for (const each of [page, tab]) await each.getByText('The server closed the connection: logged out.').waitFor()
  })
})
