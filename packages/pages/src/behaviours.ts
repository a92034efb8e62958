import { deepEqual, equal, match } from 'node:assert/strict'
import { connect, expectRefused } from '@oneport/testing'
import type { Program } from './program.ts'

/**
 * What the program of a framework shows, as columns of the table of frameworks:
 *
 * - `login`: who is not logged in gets a complete 401 of the framework, and no WebSocket
 * - `cookie`: a cookie that middleware or a hook has set is on the 101
 * - `lateField`: so is a header field that is set after the route has returned; `none` without one
 * - `refusal`: what the route and what Oneport refuses has the status, the header fields and a body
 * - `parameters`: the route has path parameters
 * - `drain`: after SIGTERM, clients get 1012, and the process ends
 * - `testClient`: `connect` and `expectRefused` of `@oneport/testing` work
 */
export type Behaviour = 'login' | 'cookie' | 'lateField' | 'refusal' | 'parameters' | 'drain' | 'testClient'

/** For each behaviour `'yes'`, or what is different. */
export type Behaviours = Readonly<Record<Behaviour, string>>

/** What a program shows that has everything. */
export const everything: Behaviours = {
  login: 'yes',
  cookie: 'yes',
  lateField: 'yes',
  refusal: 'yes',
  parameters: 'yes',
  drain: 'yes',
  testClient: 'yes'
}

/** The header field of someone who is logged in. */
type Token = { readonly Authorization: string }

const foreign = 'https://evil.example'

/** Time limit of a check, in milliseconds: a program that does not answer would hold up the test. */
const mostMs = 5_000

/** Each check throws if the program does something else. `drain` ends the program, so it is the last one. */
const checks: Record<Behaviour, (program: Program, token: Token) => Promise<void>> = {
  login: async (program) => {
    const { body, headers, status } = await program.connect('/chat/lobby')
    equal(status, 401)
    match(String(headers['www-authenticate']), /^Bearer\b/)
    match(body, /\S/)
  },

  cookie: async (program, token) => {
    const { headers, status } = await program.connect('/chat/lobby', { headers: token })
    equal(status, 101)
    match(String(headers['set-cookie']), /^visited=yes(?:;|$)/)
  },

  lateField: async (program, token) => {
    const { headers } = await program.connect('/chat/lobby', { headers: token })
    const { 'x-response-time': time = 'none' } = headers
    if (!/^\d+(?:\.\d+)?ms$/.test(String(time))) throw new Error(String(time))
  },

  refusal: async (program, token) => {
    const room = await program.connect('/chat/cellar', { headers: token })
    equal(room.status, 404)
    match(room.body, /There is no room cellar\./)
    const origin = await program.connect('/chat/lobby', { headers: token, origin: foreign })
    equal(origin.status, 403)
    match(origin.body, /https:\/\/evil\.example/)
    const version = await program.connect('/chat/lobby', { headers: token, protocolVersion: 8 })
    deepEqual([version.status, version.headers['sec-websocket-version']], [426, '13'])
    match(version.body, /Sec-WebSocket-Version/)
    const page = await program.fetch('/chat/lobby', { headers: token })
    deepEqual([page.status, page.headers.get('upgrade')], [426, 'websocket'])
  },

  parameters: async (program, token) => {
    for (const room of ['lobby', 'kitchen']) {
      const { next, socket } = await program.connect(`/chat/${room}?since=7`, { headers: token })
      equal(await next(), `Welcome to ${room}, ada.`)
      socket.send('hello')
      equal(await next(), 'hello')
    }
  },

  testClient: async ({ port }, token) => {
    const url = `ws://localhost:${port}`
    const client = await connect(url, '/chat/lobby', { headers: token, origin: 'same-origin' })
    equal(await client.next(), 'Welcome to lobby, ada.')
    await client.close()
    const { status } = await expectRefused(url, '/chat/lobby')
    equal(status, 401)
  },

  drain: async (program, token) => {
    const { closed, status } = await program.connect('/chat/lobby', { headers: token })
    equal(status, 101)
    const exitCode = await program.signal('SIGTERM')
    deepEqual([(await closed).code, exitCode], [1012, 0])
  }
}

/**
 * Checks how a program behaves, by the same routes for every framework, so that a table can be made of the results. The
 * program must
 *
 * - serve a WebSocket at `GET /chat/:room` to users with `Authorization: Bearer secret-of-ada`. It sends
 *   `Welcome to <room>, ada.` and returns each message as it is
 * - answer others with 401, `WWW-Authenticate: Bearer`, and a body
 * - answer the room `cellar` with 404, and a body with `There is no room cellar.`
 * - answer what Oneport refuses in the framework's own way, with the status, the header fields and the message
 * - set `Set-Cookie: visited=yes` in middleware or a hook
 * - set `X-Response-Time`, such as `3ms`, after the route has returned, if the framework has a place for that
 * - close its connections with 1012 on SIGTERM, and exit with 0
 *
 * It may serve anything else beside that, and render errors as text, JSON or HTML. Afterwards it has ended.
 * @param token of Ada, if the program makes tokens itself
 */
export async function behavioursOf(program: Program, token = 'secret-of-ada'): Promise<Behaviours> {
  const seen: [string, string][] = []
  for (const [behaviour, check] of Object.entries(checks)) {
    const difference = await within(check(program, { Authorization: `Bearer ${token}` })).then(
      () => 'yes',
      (error: Error) => error.message
    )
    seen.push([behaviour, difference])
  }
  return Object.fromEntries(seen) as unknown as Behaviours
}

async function within(checking: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${mostMs} ms`)), mostMs)
  })
  await Promise.race([checking, late]).finally(() => clearTimeout(timer))
}
