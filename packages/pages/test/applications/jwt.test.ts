import { createHmac } from 'node:crypto'
import { chromium, describeWith } from '@oneport/test-kit'
import { Program } from '../../src/program.ts'
import { expectComplaints, openPage, start } from '../stage.ts'

const secret = { JWT_SECRET: 'of the tests' }

async function tokenOf(program: Program, name: string): Promise<string> {
  const answer = await program.fetch('/token', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ name })
  })
  return (await answer.json()).token
}

const bearer = (token: string) => ({ headers: { Authorization: `Bearer ${token}` } })

/** A token as the application signs it. */
function sign(claims: object): string {
  const text = [{ alg: 'HS256', typ: 'JWT' }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  return `${text}.${createHmac('sha256', secret.JWT_SECRET).update(text).digest('base64url')}`
}

describe('the application jwt', () => {
  test('accepts a token as Authorization, and as a subprotocol that it does not echo', async () => {
    const program = await start('jwt', secret)
    const token = await tokenOf(program, 'Ada')
    const asProgram = await program.connect('/greeting', bearer(token))
    expect(JSON.parse(await asProgram.next())).toEqual({ name: 'Ada', expiresAt: expect.any(Number) })
    const asPage = await program.connect('/greeting', { origin: program.origin }, ['greeting.v1', `bearer.${token}`])
    expect(JSON.parse(await asPage.next())).toMatchObject({ name: 'Ada' })
    expect(asPage.socket.protocol).toBe('greeting.v1')
  })

  test('security: refuses a missing token, one with a foreign secret, one without a signature, and other sites', async () => {
    const program = await start('jwt', secret)
    const token = await tokenOf(program, 'Ada')
    const foreign = await tokenOf(await start('jwt', { JWT_SECRET: 'another' }), 'Ada')
    const none = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')
    const unsigned = `${none}.${token.split('.')[1]}.`
    for (const options of [{}, bearer(foreign), bearer(unsigned), bearer('not.a.token')]) {
      expect((await program.connect('/greeting', options)).status).toBe(401)
    }
    const { status } = await program.connect('/greeting', { ...bearer(token), origin: 'https://evil.example' })
    expect(status).toBe(403)
  })

  test('closes the connection when the token expires, unless it got a newer one', async () => {
    const program = await start('jwt', secret)
    const now = Math.floor(Date.now() / 1_000)
    const short = bearer(sign({ sub: 'Ada', exp: now + 4 }))
    const [left, renewed] = [await program.connect('/greeting', short), await program.connect('/greeting', short)]
    await renewed.next()
    renewed.socket.send(sign({ sub: 'Ada', exp: now + 3_600 }))
    expect(JSON.parse(await renewed.next()).expiresAt).toBe((now + 3_600) * 1_000)

    expect((await left.closed).code).toBe(4401)
    renewed.socket.send(sign({ sub: 'Ada', exp: now + 7_200 }))
    expect(JSON.parse(await renewed.next()).expiresAt).toBe((now + 7_200) * 1_000)
  })

  test('accepts a newer token of the same person, and no other', async () => {
    const program = await start('jwt', secret)
    const ada = await program.connect('/greeting', bearer(await tokenOf(program, 'Ada')))
    const first = JSON.parse(await ada.next())
    ada.socket.send(await tokenOf(program, 'Ada'))
    expect(JSON.parse(await ada.next()).expiresAt).toBeGreaterThanOrEqual(first.expiresAt)
    ada.socket.send(await tokenOf(program, 'Eve'))
    expect((await ada.closed).code).toBe(4403)
  })

  test('does not start without a secret in production', async () => {
    await expect(Program.startApplication('jwt', { NODE_ENV: 'production' })).rejects.toThrow(
      'Set JWT_SECRET to a long random text.'
    )
  })
})

describeWith(chromium, 'the page of the application jwt', () => {
  test('renews the token of an open connection', async () => {
    const page = await openPage((await start('jwt', secret)).origin)
    await page.getByRole('button', { name: 'Get a token and connect' }).click()
    await page.getByText('57 s are left.').waitFor()
    await page.getByRole('button', { name: 'Renew' }).click()
    await page.getByText(/^(?:60|59|58) s are left\.$/).waitFor()
  })

  test('refuses a bad token, and says when a good one has expired', async () => {
    const program = await start('jwt', { ...secret, TOKEN_SECONDS: '4' })
    expectComplaints(/401|Authentication/)
    const page = await openPage(program.origin)
    await page.getByRole('button', { name: 'Connect with a bad token' }).click()
    await page.getByText('Refused with 401: this token is not good.').waitFor()

    await page.getByLabel('Name').fill('<b>Ada</b>')
    await page.getByRole('button', { name: 'Get a token and connect' }).click()
    await page.getByText('Hello, <b>Ada</b>. Your token ends at').waitFor()
    await page.getByText(/^[1-4] s are left\.$/).waitFor()
    await page.getByText('The server closed the connection with 4401').waitFor()
  })
})
