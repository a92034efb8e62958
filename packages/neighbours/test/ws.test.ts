import type { Server } from 'node:http'
import { handshake, sendRaw, signal } from '@oneport/test-kit'
import { WebSocketServer } from 'ws'
import { converse } from '../src/application.ts'
import { alone, aloneOverTls, shared, sharedOverTls, table } from './arrangements.ts'
import { connect, endClients, liveThrough } from './conversations.ts'
import { endServers, share } from './shared-server.ts'
import { within } from './within.ts'

afterEach(async () => {
  endClients()
  await endServers()
})

/** A server of `ws` at `/theirs`. */
function join(server: Server): void {
  new WebSocketServer({ server, path: '/theirs' }).on('connection', (socket) => converse(socket, 'theirs'))
}

/** Two servers of `ws`, as in its README: one listener routes by path and destroys everything else. */
function joinTwo(server: Server): void {
  const [one, two] = [new WebSocketServer({ noServer: true }), new WebSocketServer({ noServer: true })]
  server.on('upgrade', (req, socket, head) => {
    const chosen = req.url === '/theirs' ? one : req.url === '/theirs/too' ? two : undefined
    if (chosen === undefined) socket.destroy()
    else chosen.handleUpgrade(req, socket, head, (webSocket) => converse(webSocket, 'theirs'))
  })
}

/** A server without a path whose `verifyClient` takes a while and allows only `/theirs`. */
function verifying(): { join(server: Server): void; goOn(): void } {
  const moment = signal()
  return {
    join: (server) => {
      const sockets = new WebSocketServer({
        server,
        verifyClient: ({ req }, decide) => void moment.given.then(() => decide(req.url === '/theirs', 401, 'no'))
      })
      sockets.on('connection', (socket) => converse(socket, 'theirs'))
    },
    goOn: () => moment.give()
  }
}

describe.each(table([alone, ...shared, aloneOverTls, ...sharedOverTls]))('%s', (_arrangement, arrangement) => {
  test.each([
    ['a server of ws with a path', join],
    ['servers of ws behind one listener', joinTwo]
  ])('%s gets its connections', async (_name, listen) => {
    const server = await share(arrangement, listen)
    await liveThrough(await connect(server, '/theirs'), 'theirs')
    await liveThrough(await connect(server, '/theirs'), 'theirs', 'server')
    await server.close()
  })

  test('a server of ws that verifies late gets its connections', async () => {
    const { join: listen, goOn } = verifying()
    const server = await share(arrangement, listen)
    goOn()
    await liveThrough(await connect(server, '/theirs'), 'theirs')
    await server.close()
  })

  test('a server of ws that verifies late refuses with its own answer', async () => {
    const { join: listen, goOn } = verifying()
    const server = await share(arrangement, listen)
    const reading = sendRaw(server, handshake('/nowhere'))
    if (arrangement.order !== 'alone' && !arrangement.claims) {
      while (server.application.paths.length === 0) await new Promise(setImmediate)
    }
    goOn()
    const { status, rest } = await within('the answer arrives', reading)
    expect([status, rest]).toEqual([401, 'no'])
    await server.close()
  })
})

describe.each(table([...shared, ...sharedOverTls]))('%s', (_arrangement, arrangement) => {
  test.each([
    ['a server of ws with a path', join],
    ['servers of ws behind one listener', joinTwo]
  ])('%s leaves our connections alone', async (_name, listen) => {
    const server = await share(arrangement, listen)
    await liveThrough(await connect(server, '/ours'), 'ours')
    server.application.goOn()
    await liveThrough(await connect(server, '/ours/later'), 'ours', 'server')
    await server.close()
  })

  test('a server of ws that refuses what we have accepted leaves our connection alone', async () => {
    const { join: listen, goOn } = verifying()
    const server = await share(arrangement, listen)
    const client = await connect(server, '/ours')
    goOn()
    await liveThrough(client, 'ours')
    await server.close()
  })

  test('a server of ws that accepts late what we have accepted leaves our connection alone', async () => {
    const moment = signal()
    let accepting: Promise<void> | undefined
    const server = await share(arrangement, (shared) => {
      const sockets = new WebSocketServer({
        server: shared,
        verifyClient: (_info, decide) => {
          accepting = moment.given.then(() => decide(true))
        }
      })
      sockets.on('connection', (socket) => converse(socket, 'theirs'))
    })
    const client = await connect(server, '/ours')
    moment.give()
    // A throw here would end the process.
    await accepting
    await liveThrough(client, 'ours')
    await server.close()
  })
})
