import { takePrinted } from '@oneport/test-kit'
import type { Address, Running } from '../src/address.ts'
import type { Exchange } from '../src/exchange.ts'
import { startExpress } from '../src/express.ts'
import { startFastify } from '../src/fastify.ts'
import { nicknameCookie } from '../src/nickname.ts'
import { Visitor } from './visitor.ts'

type Start = (address: Address) => Promise<Running>

describe.each<[string, Start]>([
  ['Fastify', startFastify],
  ['Express', startExpress]
])('the demo with %s', (_name, start) => {
  let running: Running
  let url: string
  let visitors: Visitor[]

  beforeEach(async () => {
    visitors = []
    running = await start({ host: '127.0.0.1', port: 0 })
    url = `http://127.0.0.1:${running.port}`
  })

  afterEach(async () => {
    for (const { socket } of visitors) socket.terminate()
    await running.close()
  })

  function visit(...rest: [nickname: string | undefined, room?: string, protocols?: string[]]): Visitor {
    const visitor = new Visitor(`ws://127.0.0.1:${running.port}`, ...rest)
    visitor.socket.on('error', () => {})
    visitors.push(visitor)
    return visitor
  }

  const logIn = (nickname: unknown, type = 'application/json'): Promise<Response> =>
    fetch(`${url}/nickname`, {
      method: 'POST',
      headers: { 'Content-Type': type },
      body: JSON.stringify({ nickname })
    })

  const provoke = async (fault: string): Promise<Exchange> =>
    (await (await fetch(`${url}/provoke/${fault}`, { method: 'POST' })).json()) as Exchange

  it.each(['/', '/r/tea', '/chat.css', '/main.mjs', '/favicon.svg'])(
    'serves %s under a strict policy',
    async (path) => {
      const response = await fetch(`${url}${path}`)
      expect(response.status).toBe(200)
      expect(response.headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self'")
      expect(response.headers.get('x-content-type-options')).toBe('nosniff')
      await response.text()
    }
  )

  it('keeps the nickname in a cookie that scripts and other sites do not get', async () => {
    const response = await logIn('  Ada   Lovelace ')
    expect(await response.json()).toEqual({ nickname: 'Ada Lovelace' })
    const [cookie = ''] = response.headers.getSetCookie()
    expect(cookie).toMatch(new RegExp(`^${nicknameCookie}=Ada%20Lovelace;`))
    expect(cookie).toMatch(/; HttpOnly/)
    expect(cookie).toMatch(/; SameSite=Lax/)
    expect(cookie).toMatch(/; Max-Age=2592000/)
  })

  it('returns the nickname, and null for a stranger', async () => {
    const headers = { Cookie: `${nicknameCookie}=J%C3%BCrgen` }
    expect(await (await fetch(`${url}/nickname`, { headers })).json()).toEqual({ nickname: 'Jürgen' })
    expect(await (await fetch(`${url}/nickname`)).json()).toEqual({ nickname: null })
  })

  it.each(['', '   ', 'x'.repeat(25), 'a\u202eb', 'a\u0000b', 7, null, { a: 1 }])(
    'does not take %j for a nickname',
    async (nickname) => {
      const response = await logIn(nickname)
      expect(response.status).toBe(400)
      expect(response.headers.getSetCookie()).toEqual([])
      await response.text()
    }
  )

  it('security: does not log in by a form of another site, which can send text only', async () => {
    const response = await logIn('Mallory', 'text/plain')
    expect(response.status).toBe(400)
    expect(response.headers.getSetCookie()).toEqual([])
    await response.text()
  })

  it('answers a body that is not JSON with 400, and reveals nothing internal', async () => {
    const headers = { 'Content-Type': 'application/json' }
    const response = await fetch(`${url}/nickname`, { method: 'POST', headers, body: '{bad' })
    expect(response.status).toBe(400)
    expect(await response.text()).not.toContain('node_modules')
  })

  it('refuses a handshake without a nickname with 401', async () => {
    const response = await visit(undefined).response
    expect(response.statusCode).toBe(401)
    expect(response.headers['www-authenticate']).toBe('Cookie')
  })

  it.each(['Tea%20Time', 'TEA', 'a%E2%80%AEb', '*'])('refuses the room %s with 400', async (room) => {
    expect((await visit('Ada', room).response).statusCode).toBe(400)
  })

  it.each(['кухня', 'مقهى', '日本語', '👩‍🚀', 'constructor', '𒀀'.repeat(32)])('has a room called %s', async (room) => {
    const page = await fetch(`${url}/r/${encodeURIComponent(room)}`)
    expect([page.status, page.headers.get('content-type')]).toEqual([200, expect.stringContaining('text/html')])
    await page.text()
    const ada = visit('Ada', encodeURIComponent(room))
    expect(await ada.hear('welcome')).toMatchObject({ room, people: ['Ada'] })
    await ada.hear('rooms', ({ rooms }) => rooms.some(({ name }) => name === room))
    ada.say('Hello')
    await ada.hear('said')
  })

  it('refuses a client that speaks another subprotocol with 400', async () => {
    expect((await visit('Ada', 'lobby', ['chat.v9']).response).statusCode).toBe(400)
  })

  it('passes messages on within a room, with sender and time', async () => {
    const [ada, grace, elsewhere] = [visit('Ada'), visit('Grace'), visit('Eve', 'tea')]
    await ada.hear('people', ({ people }) => people.length === 2)
    await grace.hear('welcome')
    await elsewhere.hear('welcome')
    ada.say(' Hello, <b>Grace</b> ')
    const said = await grace.hear('said')
    expect(said).toMatchObject({ nickname: 'Ada', text: 'Hello, <b>Grace</b>' })
    expect(Math.abs(Date.now() - said.at)).toBeLessThan(60_000)
    elsewhere.say('Is it tea time?')
    expect(await elsewhere.hear('said')).toMatchObject({ nickname: 'Eve', text: 'Is it tea time?' })
  })

  it('shows latecomers what was said', async () => {
    const first = visit('Ada')
    await first.hear('welcome')
    first.say('Anybody here?')
    await first.hear('said')
    const { history, people } = await visit('Grace').hear('welcome')
    expect(history.map(({ nickname, text }) => [nickname, text])).toEqual([['Ada', 'Anybody here?']])
    expect(people).toEqual(['Ada', 'Grace'])
  })

  it('tells who is here once a person, however many windows, and who has left', async () => {
    const ada = visit('Ada')
    await ada.hear('welcome')
    const grace = visit('Grace')
    await visit('Grace').hear('welcome')
    await ada.hear('people', ({ people }) => people.join() === 'Ada,Grace')
    for (const { socket } of visitors.slice(1)) socket.close()
    await ada.hear('people', ({ people }) => people.join() === 'Ada')
    expect(grace.socket.readyState).not.toBe(grace.socket.OPEN)
  })

  it('tells which rooms are open, and forgets empty ones', async () => {
    const ada = visit('Ada')
    const tea = visit('Grace', 'tea')
    await ada.hear('rooms', ({ rooms }) => rooms.some(({ name, people }) => name === 'tea' && people === 1))
    await tea.hear('welcome')
    tea.socket.close()
    expect((await ada.hear('rooms', ({ rooms }) => rooms.length === 1)).rooms).toEqual([{ name: 'lobby', people: 1 }])
  })

  it('gives the text back to a client that says too much at once', async () => {
    const ada = visit('Ada')
    await ada.hear('welcome')
    for (let count = 1; count <= 12; count++) ada.say(`message ${count}`)
    const refused = await ada.hear('refused')
    expect(refused).toMatchObject({
      text: expect.stringMatching(/^message \d+$/),
      reason: expect.stringContaining('fast')
    })
  })

  it('gives a text back that is too long', async () => {
    const ada = visit('Ada')
    await ada.hear('welcome')
    ada.say('x'.repeat(601))
    expect((await ada.hear('refused')).reason).toContain('600')
  })

  it.each([
    ['no JSON', 'hello', 1008],
    ['an unknown type', '{"type":"shout","text":"hello"}', 1008],
    ['a text that is none', '{"type":"say","text":{}}', 1008],
    ['binary data', Buffer.from('{"type":"say","text":"hello"}'), 1008],
    ['more than 4 KiB', JSON.stringify({ type: 'say', text: 'x'.repeat(4_096) }), 1009]
  ])('closes the connection of a client that sends %s', async (_what, data, code) => {
    const ada = visit('Ada')
    await ada.hear('welcome')
    ada.socket.send(data)
    expect(await ada.closed()).toBe(code)
    // A frame against the limit is reported by the library; the chat goes on.
    takePrinted()
  })

  it('shows the handshake as it went over the wire', async () => {
    const ada = visit('Ada')
    const { rawHeaders } = await ada.response
    const { handshake } = await ada.hear('welcome')
    expect(handshake.request.line).toBe('GET /chat/lobby HTTP/1.1')
    expect(handshake.request.fields).toContainEqual(['Sec-WebSocket-Version', '13'])
    expect(handshake.response.line).toBe('HTTP/1.1 101 Switching Protocols')
    expect(handshake.response.fields).toContainEqual(['Sec-WebSocket-Protocol', 'chat.v1'])
    // Node adds the field "Date" as it writes.
    const dateAt = rawHeaders.indexOf('Date')
    expect(handshake.response.fields.flat()).toEqual(rawHeaders.toSpliced(dateAt, 2))
  })

  it('security: does not show the cookie or the key of the handshake to the page', async () => {
    const ada = visit('SecretName')
    const { handshake } = await ada.hear('welcome')
    expect(handshake.request.fields).toContainEqual(['Cookie', `${nicknameCookie}=…`])
    expect(JSON.stringify(handshake)).not.toContain('SecretName')
    const [, key = ''] = handshake.request.fields.find(([name]) => name === 'Sec-WebSocket-Key') ?? []
    expect(key).toHaveLength(5)
  })

  it.each([
    ['origin', 'HTTP/1.1 403 Forbidden', 'HANDSHAKE_ORIGIN'],
    ['version', 'HTTP/1.1 426 Upgrade Required', 'HANDSHAKE_VERSION'],
    ['login', 'HTTP/1.1 401 Unauthorized', 'Choose a nickname first.']
  ])('provokes a refusal for a wrong %s', async (fault, line, body) => {
    const { request, response } = await provoke(fault)
    expect(request.line).toBe('GET /chat/lobby HTTP/1.1')
    expect(response.line).toBe(line)
    expect(response.body).toContain(body)
    // The library's line for the operator; where Fastify's log is on, it stands there instead.
    takePrinted()
  })

  it.each(['nothing', 'toString', '__proto__'])('knows no fault called %s', async (fault) => {
    const response = await fetch(`${url}/provoke/${fault}`, { method: 'POST' })
    expect(response.status).toBe(404)
    await response.text()
  })

  it('closes the connection of a client that does not read with 1013', async () => {
    const ada = visit('Ada')
    await ada.hear('welcome')
    ada.socket.pause()
    // More than the system's buffers take, and less than the limit that the library has by itself.
    const large = JSON.stringify({ type: 'said', text: 'x'.repeat(12_000_000) })
    for (const socket of running.connections()) socket.send(large)
    const grace = visit('Grace')
    await grace.hear('welcome')
    grace.say('Are you there?')
    await grace.hear('said')
    ada.socket.resume()
    expect(await ada.closed()).toBe(1013)
  })

  it('closes its connections with 1001 when it ends', async () => {
    const ada = visit('Ada')
    await ada.hear('welcome')
    const closed = ada.closed()
    await running.close()
    expect(await closed).toBe(1001)
  })
})
