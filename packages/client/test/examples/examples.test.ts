import { join } from 'node:path'
import { runProgram } from '../program.ts'
import { openSite, type Site } from '../site.ts'

// The programs of the pages.

const run = (name: string, url: string) => runProgram(join(__dirname, `${name}.mjs`), url)

/** Resolves with the next message of a connection. */
const message = async (site: Site): Promise<string> => {
  const socket = await site.connection()
  return new Promise((resolve) => socket.once('message', (data) => resolve(String(data))))
}

test('the first example asks after each connection', async () => {
  const site = await openSite({}, (socket) => socket.on('message', (data) => socket.send(`You asked: ${data}`)))
  const printed = run('quick', site.url)
  await printed('You asked: What did I miss?')
  const asked = message(site)
  await site.stop()
  await site.start()
  expect(await asked).toBe('What did I miss?')
})

test('the state can be shown', async () => {
  const site = await openSite()
  const printed = run('state', site.url)
  await printed('Connected')
  await site.stop()
  await printed(/^Attempt 2 at \d/)
  await site.start()
  const socket = await site.connection()
  await printed('Connecting …')
  socket.close(4403, 'banned')
  await printed('Disconnected (Closed: 4403 banned)')
})

test('a refused token is replaced', async () => {
  const site = await openSite({ subprotocols: ['news.v1'], bearerSubprotocol: 'bearer.' }, (socket) => {
    const token = site.handshakes.at(-1)?.headers.authorization
    if (token === 'Bearer token-1') socket.close(4401)
    else socket.send(`You have the ${token}`)
  })
  let tokens = 0
  site.page = (req, res) => {
    if (req.method === 'POST') res.end(`token-${++tokens}`)
    else res.writeHead(404).end()
  }
  await run('token', site.url)('You have the Bearer token-2')
})

test('what was sent early arrives', async () => {
  const site = await openSite()
  const asked = message(site)
  run('queue', site.url)
  expect(await asked).toBe('sent before there is a connection')
})
