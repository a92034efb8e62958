import { once } from 'node:events'
import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'
import { handshake, openRaw, signal } from '@oneport/test-kit'
import { type Act, refusals, touches } from './acts.ts'
import { alone, shared, sharedOverTls, table } from './arrangements.ts'
import { connect, endClients, liveThrough } from './conversations.ts'
import { endServers, share } from './shared-server.ts'
import { within } from './within.ts'

afterEach(async () => {
  endClients()
  await endServers()
})

/** A listener that does something with every raw socket, in the event or later. */
class ActingListener {
  readonly #act: Act
  readonly #isLate: boolean
  readonly #moment = signal()
  #done: Promise<unknown> = Promise.resolve()
  /** The last raw socket it got. */
  socket: Socket | undefined
  readonly closed = signal()

  constructor(act: Act, when: 'at once' | 'late' = 'late') {
    this.#act = act
    this.#isLate = when === 'late'
  }

  readonly join = (server: Server): void => {
    server.on('upgrade', (req: IncomingMessage, socket: Socket, head: Buffer) => {
      this.socket = socket
      socket.on('error', () => {})
      socket.once('close', () => this.closed.give())
      const run = async (): Promise<unknown> => this.#act.run(socket, head, req)
      this.#done = this.#isLate ? this.#moment.given.then(run) : run()
    })
  }

  async act(): Promise<void> {
    this.#moment.give()
    if (this.#act.waits) this.#done.catch(() => {})
    else await within('the other listener has acted', this.#done)
  }
}

const acts = [...refusals, ...touches].map((act): [string, Act] => [act.name, act])

describe.each(table([...shared, ...sharedOverTls]))('%s, a listener', (_arrangement, arrangement) => {
  test.each(acts)('that %s after our 101 leaves the connection alone', async (_act, act) => {
    const listener = new ActingListener(act)
    const server = await share(arrangement, listener.join)
    const client = await connect(server, '/ours')
    await listener.act()
    await liveThrough(client, 'ours')
    await server.close()
  })

  test.each(acts)('that %s at once leaves the connection alone', async (_act, act) => {
    const listener = new ActingListener(act, 'at once')
    const server = await share(arrangement, listener.join)
    const connecting = connect(server, '/ours')
    connecting.catch(() => {})
    await within('the application gets the handshake', server.application.asked)
    await listener.act()
    await liveThrough(await connecting, 'ours')
    await server.close()
  })

  test.each(acts)('that %s while the application decides leaves the connection alone', async (_act, act) => {
    const listener = new ActingListener(act)
    const server = await share(arrangement, listener.join)
    const connecting = connect(server, '/ours/later')
    await within('the application gets the handshake', server.application.arrived)
    await listener.act()
    server.application.goOn()
    await liveThrough(await connecting, 'ours', 'server')
    await server.close()
  })
})

describe('without Oneport, a listener', () => {
  const ending = refusals.flatMap((act): [string, Act, string][] =>
    act.alone === undefined ? [] : [[act.name, act, act.alone]]
  )

  test.each(ending)('that %s ends the connection', async (_act, act, answer) => {
    const listener = new ActingListener(act)
    const server = await share(alone, listener.join)
    const raw = await openRaw(server)
    let text = ''
    raw.on('data', (chunk) => {
      text += String(chunk)
    })
    const ended = new Promise<void>((resolve) => raw.once('close', () => resolve()))
    raw.write(handshake('/ours'))
    await listener.act()
    await within('the connection is closed', ended)
    expect(text).toBe(answer)
    await server.close()
  })

  test.each(touches.map((act): [string, Act] => [act.name, act]))('that %s does not fail', async (_act, act) => {
    const listener = new ActingListener(act)
    const server = await share(alone, listener.join)
    const raw = await openRaw(server)
    raw.write(handshake('/ours'))
    await within('the listener is called', once(server.server, 'upgrade'))
    await listener.act()
    raw.destroy()
  })
})

describe.each(table([...shared, ...sharedOverTls]))('%s', (_arrangement, arrangement) => {
  test('a listener that reads sees no byte of our connection', async () => {
    let seen = 0
    const listener = new ActingListener({
      name: 'reads',
      run: (socket) => {
        socket.on('data', (chunk: Buffer) => {
          seen += chunk.length
        })
      }
    })
    const server = await share(arrangement, listener.join)
    const connecting = connect(server, '/ours/later')
    await within('the application gets the handshake', server.application.arrived)
    await listener.act()
    server.application.goOn()
    await liveThrough(await connecting, 'ours')
    expect(seen).toBe(0)
  })

  test('a listener gets a close event when a connection that it holds ends', async () => {
    const listener = new ActingListener({ name: 'waits', run: () => {} })
    const server = await share(arrangement, listener.join)
    await liveThrough(await connect(server, '/ours'), 'ours')
    await within('the other listener gets a close event', listener.closed.given)
    expect(listener.socket?.destroyed).toBe(true)
  })

  test('a listener whose write waits for its callback gets it after our 101', async () => {
    const written = signal()
    const listener = new ActingListener({ name: 'writes', run: (socket) => socket.write('late', () => written.give()) })
    const server = await share(arrangement, listener.join)
    const client = await connect(server, '/ours')
    await listener.act()
    await within('the callback is called', written.given)
    await liveThrough(client, 'ours')
  })
})
