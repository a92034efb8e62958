import type { ClientHttp2Session } from 'node:http2'
import {
  bodyOf,
  chromium,
  describeWith,
  firefox,
  openFirefox,
  openSession,
  sendConnect,
  startChromium,
  takePrinted,
  webSocketOn
} from '@oneport/test-kit'
import type { Running } from '../src/address.ts'
import { makeCertificate } from '../src/certificate.ts'
import type { Connected } from '../src/exchange.ts'
import { startExpress } from '../src/express.ts'
import { startFastify } from '../src/fastify.ts'
import { nicknameCookie } from '../src/nickname.ts'
import { subprotocol, Visitor } from './visitor.ts'

jest.setTimeout(60_000)

const frameworks = [
  {
    name: 'Fastify',
    start: startFastify,
    request: /^CONNECT \/chat\/lobby\?page=\w+ HTTP\/2$/,
    response: 'HTTP/2 200',
    explanation: 1
  },
  {
    name: 'Express',
    start: startExpress,
    request: /^GET \/chat\/lobby\?page=\w+ HTTP\/1\.1$/,
    response: 'HTTP/1.1 101 Switching Protocols',
    explanation: 0
  }
]

let running: Running

afterEach(() => running.close())

async function serve(start: typeof startFastify): Promise<string> {
  running = await start({ host: '127.0.0.1', port: 0, tls: await makeCertificate() })
  return `https://localhost:${running.port}`
}

describe('over HTTP/2', () => {
  let session: ClientHttp2Session

  beforeEach(async () => {
    await serve(startFastify)
    session = await openSession({ port: running.port, tls: true })
  })

  afterEach(() => session.destroy())

  it('shows the handshake as it went over the wire, without the cookie', async () => {
    const answer = await sendConnect(session, '/chat/lobby?page=mine', {
      cookie: `${nicknameCookie}=SecretName`,
      'sec-websocket-protocol': subprotocol
    })
    const socket = webSocketOn(answer.stream)
    socket.send('subscribe all page/mine')
    const text = await new Promise<string>((resolve) => {
      socket.on('message', (data) => String(data).startsWith('message ') && resolve(String(data)))
    })
    const connected = JSON.parse(text.slice(text.indexOf('\n') + 1)) as Connected
    expect(connected.request.line).toBe('CONNECT /chat/lobby?page=mine HTTP/2')
    expect(connected.request.fields).toEqual([
      [':method', 'CONNECT'],
      [':protocol', 'websocket'],
      [':scheme', 'https'],
      [':authority', 'app.example'],
      [':path', '/chat/lobby?page=mine'],
      ['sec-websocket-version', '13'],
      ['cookie', `${nicknameCookie}=…`],
      ['sec-websocket-protocol', subprotocol]
    ])
    expect(connected.response.line).toBe('HTTP/2 200')
    const { date: _date, ...fields } = answer.headers
    const sent = Object.entries(fields).map(([name, value]) => [name, `${value}`])
    expect(connected.response.fields.toSorted()).toEqual(sent.toSorted())
  })

  it('refuses a handshake without a nickname with 401', async () => {
    const answer = await sendConnect(session, '/chat/lobby', { 'sec-websocket-protocol': subprotocol })
    expect([answer.status, await bodyOf(answer)]).toEqual([401, '{"message":"Choose a nickname first."}'])
  })
})

it.each(frameworks)('takes clients of HTTP/1.1 over TLS, with $name', async ({ start }) => {
  await serve(start)
  const ada = new Visitor(`wss://127.0.0.1:${running.port}`, 'Ada')
  await ada.entered()
  expect(ada.connected[0]?.response.line).toBe('HTTP/1.1 101 Switching Protocols')
  const closed = ada.closed()
  await running.close()
  expect(await closed).toBe(1001)
  ada.leave()
})

describeWith(chromium, 'the page over TLS in Chromium', () => {
  it.each(frameworks)(
    'logs in, chats and is refused, with $name',
    async ({ start, request, response, explanation }) => {
      const url = await serve(start)
      const browser = await startChromium()
      try {
        const page = await browser.newPage({ ignoreHTTPSErrors: true })
        await page.goto(url)
        await page.getByLabel('Nickname').fill('Ada')
        await page.keyboard.press('Enter')
        await page.getByText('Online', { exact: true }).waitFor()
        expect(await page.context().cookies()).toMatchObject([{ name: nicknameCookie, secure: true, httpOnly: true }])

        await page.getByRole('textbox', { name: 'Message' }).fill('Hello over TLS')
        await page.keyboard.press('Enter')
        await page.getByRole('log', { name: 'Messages' }).getByText('Hello over TLS').waitFor()

        const panel = page.getByRole('complementary', { name: 'Handshake' })
        await panel.getByText(request).waitFor()
        await panel.getByText(response, { exact: true }).waitFor()
        expect(await panel.getByText('Over HTTP/2 the GET goes as').count()).toBe(explanation)

        for (const refusal of [/Foreign origin.*403/, /Version 12.*426/, /No login.*401/]) {
          await page.getByRole('button', { name: String(refusal).slice(1).split('.*')[0] as string }).click()
          await page.getByRole('button', { name: refusal }).waitFor()
        }
        // The library's line for the operator about the origin.
        takePrinted()
      } finally {
        await browser.close()
      }
    }
  )
})

describeWith(firefox, 'the page over TLS in Firefox', () => {
  it.each(frameworks)('logs in and chats, with $name', async ({ start, request, response }) => {
    const url = await serve(start)
    const browser = await openFirefox()
    try {
      await browser.goTo(url)
      const told = await browser.evaluate(`(async () => {
        const byId = (id) => document.getElementById(id)
        const until = async (holds) => {
          while (!holds()) await new Promise(requestAnimationFrame)
        }
        await until(() => byId('login').open)
        byId('nickname').value = 'Ada'
        byId('login-form').requestSubmit()
        await until(() => byId('state').textContent === 'Online')
        byId('text').value = 'Hello from Firefox'
        byId('say').requestSubmit()
        await until(() => byId('messages').textContent.includes('Hello from Firefox'))
        await until(() => document.querySelector('#handshake .line'))
        return [...document.querySelectorAll('#handshake .line')].map(({ textContent }) => textContent)
      })()`)
      expect(told).toEqual([expect.stringMatching(request), response])
    } finally {
      await browser.close()
    }
  })
})
