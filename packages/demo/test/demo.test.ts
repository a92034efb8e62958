import { once } from 'node:events'
import type { TopicsOptions } from '@oneport/client'
import { takePrinted } from '@oneport/test-kit'
import type { Address, Running } from '../src/address.ts'
import type { Connected, Exchange } from '../src/exchange.ts'
import { startExpress } from '../src/express.ts'
import { startFastify } from '../src/fastify.ts'
import { nicknameCookie } from '../src/nickname.ts'
import { shakeHands, subprotocol, Visitor } from './visitor.ts'

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
    for (const visitor of visitors) visitor.leave()
    await running.close()
  })

  async function visit(...rest: [nickname: string, room?: string, options?: TopicsOptions]): Promise<Visitor> {
    const visitor = new Visitor(`ws://127.0.0.1:${running.port}`, ...rest)
    visitors.push(visitor)
    await visitor.entered()
    return visitor
  }

  const responseTo = async (...rest: [nickname?: string, room?: string, protocols?: string[]]) =>
    shakeHands(`ws://127.0.0.1:${running.port}`, ...(rest as [string])).response

  const logIn = (nickname: unknown, type = 'application/json'): Promise<Response> =>
    fetch(`${url}/nickname`, {
      method: 'POST',
      headers: { 'Content-Type': type },
      body: JSON.stringify({ nickname })
    })

  const provoke = async (fault: string): Promise<Exchange> =>
    (await (await fetch(`${url}/provoke/${fault}`, { method: 'POST' })).json()) as Exchange

  it.each(['/', '/r/tea', '/chat.css', '/main.mjs', '/client.mjs', '/favicon.svg'])(
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
    const response = await responseTo()
    expect(response.statusCode).toBe(401)
    expect(response.headers['www-authenticate']).toBe('Cookie')
  })

  it.each(['Tea%20Time', 'TEA', 'a%E2%80%AEb', '*'])('refuses the room %s with 400', async (room) => {
    expect((await responseTo('Ada', room)).statusCode).toBe(400)
  })

  it.each(['кухня', 'مقهى', '日本語', '👩‍🚀', 'constructor', '𒀀'.repeat(32)])('has a room called %s', async (room) => {
    const page = await fetch(`${url}/r/${encodeURIComponent(room)}`)
    expect([page.status, page.headers.get('content-type')]).toEqual([200, expect.stringContaining('text/html')])
    await page.text()
    const ada = await visit('Ada', room)
    expect(ada.people).toContain(`${room}/Ada`)
    await ada.say('Hello')
    await ada.hears('Hello')
  })

  it('refuses the 101st client of a room with 503', async () => {
    const origin = `ws://127.0.0.1:${running.port}`
    const clients = Array.from({ length: 100 }, (_value, index) => shakeHands(origin, `visitor ${index}`).socket)
    await Promise.all(
      clients.map(async (socket) => {
        await once(socket, 'open')
        socket.send('subscribe - room/lobby')
        await once(socket, 'message')
      })
    )
    const { statusCode, headers } = await responseTo('Ada')
    expect([statusCode, headers['retry-after']]).toEqual([503, '10'])
    expect((await responseTo('Ada', 'tea')).statusCode).toBe(101)
    for (const socket of clients) socket.terminate()
  })

  it('refuses a client that speaks another subprotocol with 400', async () => {
    expect((await responseTo('Ada', 'lobby', ['chat.v9'])).statusCode).toBe(400)
  })

  it('passes messages on within a room, with sender and time', async () => {
    const [ada, grace, elsewhere] = [await visit('Ada'), await visit('Grace'), await visit('Eve', 'tea')]
    await elsewhere.say('Is it tea time?')
    await ada.say('Hello, <b>Grace</b>')
    await grace.hears('Hello, <b>Grace</b>')
    expect(grace.said).toMatchObject([{ nickname: 'Ada', text: 'Hello, <b>Grace</b>' }])
    expect(elsewhere.said).toMatchObject([{ nickname: 'Eve', text: 'Is it tea time?' }])
  })

  it('shows latecomers what was said', async () => {
    const ada = await visit('Ada')
    await ada.say('Anybody here?')
    ada.leave()
    const grace = await visit('Grace')
    await grace.hears('Anybody here?')
  })

  it('tells who is where once a person, however many windows, and who has left', async () => {
    const ada = await visit('Ada')
    const windows = [await visit('Grace'), await visit('Grace')]
    await visit('Grace', 'tea')
    await ada.until(({ people }) => people.join() === 'lobby/Ada,lobby/Grace,tea/Grace')
    windows[0]?.leave()
    windows[1]?.leave()
    await ada.until(({ people }) => people.join() === 'lobby/Ada,tea/Grace')
  })

  it.each(['stream', 'poll'] as const)('serves those who have no WebSocket over a %s', async (transport) => {
    const ada = await visit('Ada')
    const grace = await visit('Grace', 'lobby', { transports: [transport] })
    await ada.until(({ people }) => people.includes('lobby/Grace'))
    await grace.say('Hello, Ada')
    await ada.hears('Hello, Ada')
    await ada.say('Hello, Grace')
    await grace.hears('Hello, Grace')
    expect(grace.topics.transport).toBe(transport)
  })

  it('refuses somebody who says too much at once', async () => {
    const ada = await visit('Ada')
    const outcomes = Array.from({ length: 12 }, (_value, index) =>
      ada.say(`message ${index}`).then(
        () => 'published',
        ({ code }) => code as string
      )
    )
    expect(await Promise.all(outcomes)).toEqual([
      ...Array.from({ length: 8 }, () => 'published'),
      ...Array.from({ length: 4 }, () => 'forbidden')
    ])
  })

  it.each([
    ['in the name of somebody else', { nickname: 'Grace' }],
    ['a text that is too long', { text: 'x'.repeat(601) }],
    ['nothing', { text: '  ' }],
    ['what is not a text', { text: {} as string }],
    ['at a time that no calendar has', { at: 8.65e15 }],
    ['under an ID that is none', { id: 'a b' }],
    ['more than a message has', { colour: 'red' }]
  ])('security: does not publish %s', async (_what, changes) => {
    const ada = await visit('Ada')
    await expect(ada.say('hello', changes)).rejects.toMatchObject({ code: 'forbidden' })
    await ada.say('goodbye')
    await ada.hears('goodbye')
    expect(ada.said).toHaveLength(1)
  })

  it.each(['not JSON', 'null', '7', Buffer.from('{}')])('security: does not publish %p', async (data) => {
    const ada = await visit('Ada')
    await expect(ada.topics.publish('room/lobby', data)).rejects.toMatchObject({ code: 'forbidden' })
  })

  it.each(['room/tea', 'people', 'page/other', 'other'])(
    'security: lets nobody speak in %s from the lobby, nor read what is not for everybody',
    async (topic) => {
      const ada = await visit('Ada')
      await expect(ada.topics.publish(topic, JSON.stringify(ada.said))).rejects.toMatchObject({ code: 'forbidden' })
      if (topic === 'people') return
      const refused = new Promise((resolve) => ada.topics.subscribe(topic, () => {}, { onError: resolve }))
      expect(await refused).toMatchObject({ code: 'forbidden' })
    }
  )

  it('closes the connection of a client that sends more than 8 KiB', async () => {
    const { socket, response } = shakeHands(`ws://127.0.0.1:${running.port}`, 'Ada')
    await response
    socket.send('x'.repeat(8_193))
    const [code] = await once(socket, 'close')
    expect(code).toBe(1009)
    // A frame against the limit is reported by the library; the chat goes on.
    takePrinted()
  })

  it('tells a page how its handshake went over the wire, and which process has it', async () => {
    const { socket, response } = shakeHands(`ws://127.0.0.1:${running.port}`, 'SecretName', 'lobby?page=mine')
    const { rawHeaders } = await response
    socket.send('subscribe all page/mine')
    const text = await new Promise<string>((resolve) => {
      socket.on('message', (data) => String(data).startsWith('message ') && resolve(String(data)))
    })
    socket.terminate()
    const connected = JSON.parse(text.slice(text.indexOf('\n') + 1)) as Connected
    expect(connected).toMatchObject({ transport: 'websocket', process: process.pid })
    expect(connected.request.line).toBe('GET /chat/lobby?page=mine HTTP/1.1')
    expect(connected.request.fields).toContainEqual(['Sec-WebSocket-Version', '13'])
    expect(connected.response.line).toBe('HTTP/1.1 101 Switching Protocols')
    expect(connected.response.fields).toContainEqual(['Sec-WebSocket-Protocol', subprotocol])
    // Node adds the field "Date" as it writes.
    const dateAt = rawHeaders.indexOf('Date')
    expect(connected.response.fields.flat()).toEqual(rawHeaders.toSpliced(dateAt, 2))
    // security: neither the cookie nor the key
    expect(connected.request.fields).toContainEqual(['Cookie', `${nicknameCookie}=…`])
    expect(text).not.toContain('SecretName')
    const [, key = ''] = connected.request.fields.find(([name]) => name === 'Sec-WebSocket-Key') ?? []
    expect(key).toHaveLength(5)
  })

  it.each([
    ['stream', 'text/event-stream; charset=utf-8'],
    ['poll', 'application/json; charset=utf-8']
  ] as const)('tells a page about its %s', async (transport, type) => {
    const ada = await visit('Ada', 'lobby', { transports: [transport] })
    const connected = ada.connected.at(-1) as Connected
    expect(connected).toMatchObject({ transport, process: process.pid })
    expect(connected.request.line).toMatch(/^GET \/chat\/lobby\?page=\w+&topic=.* HTTP\/1\.1$/)
    expect(connected.response.line).toBe('HTTP/1.1 200 OK')
    const fields = new Map(connected.response.fields.map(([name, value]) => [name.toLowerCase(), value]))
    expect(fields.get('content-type')).toBe(type)
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

  it('closes its connections with 1001 when it ends', async () => {
    const ada = await visit('Ada')
    const closed = ada.closed()
    await running.close()
    expect(await closed).toBe(1001)
  })

  it('has no process to kill if it is the only one', async () => {
    const response = await fetch(`${url}/kill/${process.pid}`, {
      method: 'POST',
      headers: { Origin: url, Cookie: `${nicknameCookie}=Ada` }
    })
    expect(response.status).toBe(404)
    await response.text()
  })
})

describe.each<[string, Start]>([
  ['Fastify', startFastify],
  ['Express', startExpress]
])('the demo with %s in several processes', (_name, start) => {
  let running: Running
  let url: string
  let killed: number[]

  beforeEach(async () => {
    killed = []
    running = await start({ host: '127.0.0.1', port: 0, kill: (pid) => killed.push(pid) })
    url = `http://127.0.0.1:${running.port}`
  })

  afterEach(() => running.close())

  const kill = async (headers: Record<string, string>): Promise<number> => {
    const response = await fetch(`${url}/kill/4711`, { method: 'POST', headers })
    await response.text()
    return response.status
  }

  it('kills one for its own page', async () => {
    expect(await kill({ Origin: url, Cookie: `${nicknameCookie}=Ada` })).toBe(202)
    expect(killed).toEqual([4711])
  })

  it.each([
    ['a page of another site', { Origin: 'https://evil.example', Cookie: `${nicknameCookie}=Ada` }, 404],
    ['a program that does not say where it is from', { Cookie: `${nicknameCookie}=Ada` }, 404],
    ['a stranger', { Origin: 'http://127.0.0.1' }, 401]
  ])('security: kills none for %s', async (_who, headers, status) => {
    expect([await kill(headers), killed]).toEqual([status, []])
  })
})
