import { type ChildProcess, execFile, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { connectClient, exportsOf } from '@oneport/test-kit'
import { Store } from '../src/cluster/store.ts'
import { clusterBackplane, serveCluster } from '../src/cluster.ts'
import { backplaneContract } from '../src/contract.ts'
import { atEnd, stopAll } from './pair.ts'

// Starting processes takes long on a busy machine.
jest.setTimeout(60_000)

afterEach(stopAll)

const folder = join(__dirname, 'process')
const execArgv = ['-r', 'esbuild-register']

describe('in a worker of node:cluster, the backplane', () => {
  const failures = new Map<string, string | undefined>()

  beforeAll(async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [...execArgv, 'cluster-contract.ts'], {
      cwd: folder
    })
    for (const line of stdout.trim().split('\n')) {
      const { name, failure } = JSON.parse(line) as { name: string; failure?: string }
      failures.set(name, failure)
    }
  })

  test.each(
    backplaneContract(() => {
      throw new Error('Cases run in the worker.')
    })
  )('$name', ({ name }) => {
    expect(failures.has(name)).toBe(true)
    expect(failures.get(name)).toBeUndefined()
  })
})

describe('three workers of node:cluster', () => {
  interface Told {
    port?: number
    exited?: true
    stats?: { nodes: number; topics: number; bytes: number }
  }

  /** Starts the primary with its workers, and collects what it says. */
  async function startApp() {
    const primary: ChildProcess = fork('cluster-app.ts', [], { cwd: folder, execArgv })
    const waiting: ((told: Told) => void)[] = []
    const said: Told[] = []
    primary.on('message', (told: Told) => {
      const next = waiting.shift()
      if (next === undefined) said.push(told)
      else next(told)
    })
    atEnd(async () => {
      const ended = once(primary, 'exit')
      primary.disconnect()
      await ended
    })
    const next = (): Promise<Told> => {
      const told = said.shift()
      return told === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(told)
    }
    const port = async (): Promise<number> => (await next()).port as number
    const ports = [await port(), await port(), await port()] as const
    const stats = async () => {
      primary.send({})
      return (await next()).stats
    }
    return { ports, next, port, stats, tell: (order: object) => primary.send(order) }
  }

  async function connect(port: number, name = '') {
    const client = await connectClient({ port }, `/${name}`)
    atEnd(() => client.socket.terminate())
    const ask = async (request: string): Promise<string> => {
      client.socket.send(request)
      return String(await client.next())
    }
    return { ask, next: async () => String(await client.next()), socket: client.socket }
  }

  test('hear each other, and a client comes back at another one when its own was killed and replaced', async () => {
    const { ports, next, port, stats, tell } = await startApp()
    const [ada, bob] = [await connect(ports[0]), await connect(ports[1])]
    const [, epoch] = (await ada.ask('subscribe - news')).split(' ')
    expect(await bob.ask('subscribe - news')).toBe(`subscribed ${epoch} 0 new news`)
    expect(await ada.ask('publish 1 news\nfirst')).toMatch(/^(?:published 1 1|message 1 news\nfirst)$/)
    expect(await bob.next()).toBe('message 1 news\nfirst')
    expect(await stats()).toMatchObject({ nodes: 3, topics: 1 })
    const lost = once(ada.socket, 'close')
    tell({ kill: ports[0] })
    await lost
    expect(await next()).toEqual({ exited: true })
    expect(await bob.ask('publish 2 news\nsecond')).toMatch(/^(?:published 2 2|message 2 news\nsecond)$/)
    const replacement = await connect(await port())
    expect(await replacement.ask(`subscribe ${epoch}:1 news`)).toBe(`subscribed ${epoch} 1 resumed news`)
    expect(await replacement.next()).toBe('message 2 news\nsecond')
    expect((await stats())?.nodes).toBe(3)
  })

  test('show who is present at each of them, and drop those of a worker that was killed', async () => {
    const { ports, tell } = await startApp()
    const [ada, bob, viewer] = [await connect(ports[0], 'ada'), await connect(ports[1], 'bob'), await connect(ports[2])]
    await ada.ask('subscribe - news')
    await viewer.ask('subscribe - news')
    expect(await viewer.ask('presence news')).toBe('present news\n[]')
    expect(await viewer.next()).toBe('joined news\n{"id":"ada"}')
    await bob.ask('subscribe - news')
    expect(await viewer.next()).toBe('joined news\n{"id":"bob"}')
    await bob.ask('unsubscribe news')
    expect(await viewer.next()).toBe('left news\n{"id":"bob"}')
    tell({ kill: ports[0] })
    expect(await viewer.next()).toBe('left news\n{"id":"ada"}')
  })

  test('a worker that does not read has nothing waiting for it beyond a limit, and its clients are told of a gap', async () => {
    const { ports, tell } = await startApp()
    const [ada, bob] = [await connect(ports[0]), await connect(ports[1])]
    const [, epoch] = (await bob.ask('subscribe - news')).split(' ')
    tell({ pause: ports[1] })
    const large = 'x'.repeat(500_000)
    for (let count = 1; count <= 60; count++) {
      expect(await ada.ask(`publish ${count} news\n${count} ${large}`)).toBe(`published ${count} ${count}`)
    }
    tell({ resume: ports[1] })
    let [last, gaps] = [0, 0]
    while (last < 60) {
      const [kind, first, second] = ((await bob.next()).split('\n')[0] as string).split(' ')
      if (kind === 'gap') {
        expect(first).toBe(epoch)
        last = Number(second)
        gaps++
      } else {
        expect([kind, Number(first)]).toEqual(['message', last + 1])
        last++
      }
    }
    expect(gaps).toBeGreaterThan(0)
  })
})

describe('the store of the primary', () => {
  const limits = { messages: 1_000, ms: 60_000, bytes: 1_000_000 }

  test('stays within its memory: the topics without a new message for the longest time lose their oldest', () => {
    const store = new Store({ maxBytes: 100_000, isInUse: (topic) => topic === 'used' })
    store.append('used', Buffer.alloc(1_000), limits)
    for (let count = 0; count < 500; count++) store.append(`topic ${count}`, Buffer.alloc(1_000), limits)
    expect(store.counts.bytes).toBeLessThanOrEqual(100_000)
    expect(store.counts.topics).toBeLessThan(60)
    expect(store.read('used', undefined, limits)).toMatchObject({ last: 1, messages: [] })
    expect(store.read('topic 499', undefined, limits).messages).toHaveLength(1)
  })

  test('topics that are only named count too', () => {
    const store = new Store({ maxBytes: 100_000, isInUse: () => false })
    for (let count = 0; count < 1_000; count++) store.read(`topic ${count}`, undefined, limits)
    expect(store.counts.bytes).toBeLessThanOrEqual(100_000)
  })

  test('another primary begins other epochs', () => {
    const epochs = [1, 2].map(
      () => new Store({ maxBytes: 1_000, isInUse: () => false }).read('a', undefined, limits).epoch
    )
    expect(epochs[0]).not.toBe(epochs[1])
  })
})

test('exports the same to import as to require', () => {
  const source = (name: string): string => join(__dirname, '../src', name)
  expect(exportsOf(source('cluster.mts'))).toEqual(exportsOf(source('cluster.ts')))
})

test('says where to call what', () => {
  expect(() => clusterBackplane()).toThrow('clusterBackplane: call it in a worker, and serveCluster() in the primary')
  const served = serveCluster()
  expect(() => serveCluster()).toThrow('serveCluster: it was called already')
  served.close()
  served.close()
  serveCluster().close()
})

test.each([
  [null, 'serveCluster: expected an object; got null'],
  [{ maxBytes: 0 }, 'serveCluster: maxBytes: expected a positive whole number of bytes, or Infinity; got 0'],
  [{ maxByte: 1 }, 'did you mean maxBytes?']
])('serveCluster() refuses %p', (options, message) => {
  expect(() => serveCluster(options as never)).toThrow(message)
})

test.each([
  [{ name: 1 }, 'clusterBackplane: name: expected a string; got 1'],
  [
    { timeoutMs: 0 },
    'clusterBackplane: timeoutMs: expected a whole number of milliseconds from 1 to 2147483647; got 0'
  ],
  [{ maxPendingBytes: '9' }, 'clusterBackplane: maxPendingBytes: expected a positive whole number of bytes'],
  [{ timeout: 1 }, 'did you mean timeoutMs?']
])('clusterBackplane() refuses %p', (options, message) => {
  expect(() => clusterBackplane(options as never)).toThrow(message)
})
