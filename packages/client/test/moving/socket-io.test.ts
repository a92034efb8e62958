import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Client, type Host, type Library, logged, loggedLike, ours, type Settings, socketIo } from './chats.ts'
import { openWire, type Wire } from './wire.ts'

// What socket.io-client and connectTopics() do, as docs/moving-from-socket-io.md says. Most are cases of socket.io-client's own
// tests, as far as they do not depend on its protocol.

interface Stage {
  readonly host: Host
  readonly wire: Wire
  /** Starts another server, which knows nothing of the first one. */
  another(): Promise<Host>
  /** Opens a client. */
  open(settings?: Settings): Client
  /** Opens a client, and waits until it is there. */
  enter(settings?: Settings): Promise<Client>
}

async function stageOf(library: Library): Promise<Stage> {
  const host = await library.host()
  const wire = await openWire(host.port)
  const open = (settings?: Settings): Client => library.open(wire.port, settings)
  return {
    host,
    wire,
    another: () => library.host(),
    open,
    async enter(settings) {
      const client = open(settings)
      await logged(client, 'open')
      await client.say('hello')
      await logged(client, 'hello')
      return client
    }
  }
}

/** Takes the server away, until `wire.isDown` is unset. */
async function takeAway(wire: Wire, client: Client): Promise<void> {
  wire.isDown = true
  wire.cut()
  await logged(client, 'lost')
}

/** The delays that a client sets timers for while each of its attempts fails, without those of attempts. */
async function delaysOf({ wire, enter }: Stage, settings: Settings, count: number): Promise<number[]> {
  const random = jest.spyOn(Math, 'random').mockReturnValue(1 - Number.EPSILON)
  const timers = jest.spyOn(globalThis, 'setTimeout')
  try {
    const client = await enter(settings)
    timers.mockClear()
    wire.isDown = true
    wire.cut()
    for (let attempt = 0; attempt < count; attempt++) await wire.handshake()
    client.close()
    return timers.mock.calls.map(([, ms]) => Math.round(ms ?? 0)).filter((ms) => ms > 0 && ms <= 80)
  } finally {
    timers.mockRestore()
    random.mockRestore()
  }
}

const isOver = (entry: unknown): boolean => String(entry).startsWith('over')

/** The rows of the page's table, in its order. */
const features: Record<string, (stage: Stage) => Promise<boolean>> = {
  async 'connects again after a lost connection'({ wire, enter }) {
    const client = await enter()
    wire.cut()
    await logged(client, 'open', 2)
    return true
  },

  async 'connects again when the server is back'({ wire, enter }) {
    const client = await enter()
    await takeAway(wire, client)
    for (let attempt = 0; attempt < 5; attempt++) await wire.handshake()
    wire.isDown = false
    await logged(client, 'open', 2)
    return true
  },

  async 'waits for a server that is not there yet'({ wire, open }) {
    wire.isDown = true
    const client = open()
    for (let attempt = 0; attempt < 3; attempt++) await wire.handshake()
    wire.isDown = false
    await logged(client, 'open')
    return true
  },

  async 'waits longer after each failure, up to a ceiling'(stage) {
    const delays = await delaysOf(stage, { minDelayMs: 10, maxDelayMs: 40 }, 5)
    return delays.some((ms, index) => ms > (delays[index - 1] ?? ms)) && delays.slice(-2)[0] === delays.at(-1)
  },

  async 'gives up after as many attempts as it was told'({ wire, enter }) {
    const client = await enter({ maxRetries: 2 })
    await takeAway(wire, client)
    await wire.handshake()
    await wire.handshake()
    await loggedLike(client, isOver)
    await sleep(60)
    return wire.handshakes === 3
  },

  async 'makes one attempt if it must not come back'({ wire, open }) {
    wire.isDown = true
    const client = open({ maxRetries: 0 })
    await loggedLike(client, isOver)
    await sleep(60)
    return wire.handshakes === 1
  },

  async 'stays away if it is closed while it waits'({ wire, enter }) {
    const client = await enter({ minDelayMs: 20, maxDelayMs: 20 })
    await takeAway(wire, client)
    client.close()
    await sleep(60)
    return wire.handshakes === 1
  },

  async 'stays away if it is closed during an attempt'({ wire, enter }) {
    const client = await enter()
    await takeAway(wire, client)
    await wire.handshake()
    client.close()
    const { handshakes } = wire
    await sleep(60)
    return wire.handshakes === handshakes
  },

  async 'comes back after close() if it is told to'({ enter }) {
    const client = await enter()
    client.close()
    if (client.reopen === undefined) return false
    client.reopen()
    await logged(client, 'open', 2)
    return true
  },

  async 'gives up an attempt that is not answered, and makes another'({ wire, open }) {
    wire.isHeld = true
    const client = open({ timeoutMs: 50 })
    await wire.handshake()
    await wire.handshake()
    wire.isHeld = false
    await logged(client, 'open')
    return true
  },

  async 'says why it was refused, and stops'({ host, wire, open }) {
    host.isRefusing = true
    const client = open()
    await loggedLike(client, isOver)
    await sleep(60)
    return wire.handshakes === 1
  },

  async 'asks a function for the token before each attempt'({ host, wire, enter }) {
    let count = 0
    const client = await enter({ token: async () => `token-${++count}` })
    wire.cut()
    await logged(client, 'open', 2)
    return JSON.stringify(host.tokens) === '["token-1","token-2"]'
  },

  async 'keeps what is said before it is connected, in order'({ host, wire, open }) {
    wire.isDown = true
    const client = open()
    const said = Promise.all(['one', 'two', 'three'].map((text) => client.say(text)))
    await wire.handshake()
    wire.isDown = false
    await said
    await logged(host, 'three')
    return String(host.log) === 'one,two,three'
  },

  async 'keeps what is said while it is away, and says it once'({ host, wire, enter }) {
    const client = await enter()
    await takeAway(wire, client)
    const said = client.say('away')
    await wire.handshake()
    wire.isDown = false
    await said
    await logged(host, 'away')
    await client.say('back')
    await logged(host, 'back')
    return String(host.log) === 'hello,away,back'
  },

  async 'says it once when the acknowledgement was lost'({ host, wire, enter }) {
    const client = await enter()
    wire.isHeld = true
    const said = client.say('once')
    await logged(host, 'once')
    wire.isHeld = false
    wire.cut()
    await said
    await client.say('after')
    await logged(host, 'after')
    return String(host.log) === 'hello,once,after'
  },

  async 'hears what was said while it was away, once'({ host, wire, enter }) {
    const client = await enter()
    await takeAway(wire, client)
    host.say('missed')
    wire.isDown = false
    await logged(client, 'open', 2)
    host.say('after')
    await logged(client, 'after')
    return String(client.log.filter((entry) => entry !== 'open' && entry !== 'lost')) === 'hello,missed,after'
  },

  async 'knows that it missed something when the server has lost it'({ wire, enter, another }) {
    const client = await enter()
    await takeAway(wire, client)
    wire.target = (await another()).port
    wire.isDown = false
    await logged(client, 'missing')
    return true
  },

  async 'works over plain HTTP where WebSockets are blocked'({ wire, enter }) {
    wire.isHttpOnly = true
    await enter({ mayUseHttp: true })
    return true
  },

  async 'moves from plain HTTP to a WebSocket when one works again'({ wire, enter }) {
    wire.isHttpOnly = true
    const client = await enter({ mayUseHttp: true })
    wire.isHttpOnly = false
    const { handshakes } = wire
    await sleep(200)
    // Whether it has tried.
    if (wire.handshakes === handshakes) return false
    await logged(client, 'websocket')
    return true
  },

  async 'has several rooms on one connection'({ wire, enter }) {
    const client = await enter()
    client.enter('kitchen')
    await logged(client, 'in kitchen')
    return wire.handshakes === 1
  },

  async 'stays in the other rooms when it leaves one'({ host, wire, enter }) {
    const client = await enter()
    const leave = client.enter('kitchen')
    await logged(client, 'in kitchen')
    leave()
    host.say('in the lobby')
    await logged(client, 'in the lobby')
    return wire.handshakes === 1 && !client.log.includes('lost')
  },

  async 'says and hears bytes'({ enter }) {
    const client = await enter()
    await client.say(new Uint8Array([0, 255]))
    await loggedLike(
      client,
      (entry) =>
        ArrayBuffer.isView(entry) &&
        String(new Uint8Array(entry.buffer, entry.byteOffset, entry.byteLength)) === '0,255'
    )
    return true
  },

  async 'says objects, which it serializes itself'({ enter }) {
    const client = await enter()
    return client.say({ text: 'hello', bytes: new Uint8Array(1) }).then(
      () => true,
      () => false
    )
  },

  async 'ends what waits for an acknowledgement when it is closed'({ wire, enter }) {
    const client = await enter()
    await takeAway(wire, client)
    const said = client.say('never').then(
      () => false,
      () => true
    )
    client.close()
    return Promise.race([said, sleep(100, false)])
  }
}

const page = readFileSync(join(__dirname, '../../../../docs/moving-from-socket-io.md'), 'utf8')
const rows = [...page.matchAll(/^\| (.+?) \| (yes|no)[^|]* \| (yes|no)[^|]* \|$/gm)].map(([, ...cells]) => cells)

test('the page has a row for each feature', () => {
  expect(rows.map(([name]) => name)).toEqual(Object.keys(features))
})

const client = dirname(require.resolve('socket.io-client/package.json'))
const engine = dirname(require.resolve('engine.io-client/package.json', { paths: [client] }))

/** The public members of an interface or a class in a file of declarations. */
function membersOf(file: string, name: string): string[] {
  const text = readFileSync(file, 'utf8')
  const body =
    new RegExp(`export (?:declare )?(?:interface|class) ${name}\\b[^{]*\\{(.*?)\\n\\}`, 's').exec(text)?.[1] ?? ''
  const members = [...body.matchAll(/^ {4}(?!private )(?:readonly |get )?([a-z]\w+)[?(:<]/gm)].map(
    ([, member]) => member
  )
  return [...new Set(members as string[])].filter((member) => member !== 'constructor')
}

describe('the page names each', () => {
  test.each([
    ['option of the manager', join(client, 'build/esm/manager.d.ts'), 'ManagerOptions', 11],
    ['option of a socket', join(client, 'build/esm/socket.d.ts'), 'SocketOptions', 3],
    ['option of the connection', join(engine, 'build/esm/socket.d.ts'), 'SocketOptions', 30],
    ['member of a socket', join(client, 'build/esm/socket.d.ts'), 'Socket', 20]
  ])('%s', (_what, file, name, least) => {
    const members = membersOf(file, name)
    expect(members.length).toBeGreaterThanOrEqual(least)
    // Those with `Outgoing` do the same for what is sent.
    const unnamed = members.filter((each) => !each.includes('Outgoing') && !new RegExp(`\`${each}\\b`).test(page))
    expect(unnamed).toEqual([])
  })
})

describe.each<[string, Library, 1 | 2]>([
  ['socket.io-client', socketIo, 1],
  ['@oneport/client', ours, 2]
])('%s', (_name, library, column) => {
  test.each(Object.keys(features))('%s, or not, as the page says', async (name) => {
    const row = rows.find(([each]) => each === name)
    expect((await features[name]?.(await stageOf(library))) ? 'yes' : 'no').toBe(row?.[column])
  })
})
