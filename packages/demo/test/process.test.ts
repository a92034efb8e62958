import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { connect as connectTls } from 'node:tls'
import { describeWith, RedisServer, redisProgram } from '@oneport/test-kit'
import { Demo } from './program.ts'
import { Visitor } from './visitor.ts'

// A process takes its time to start on a busy machine.
jest.setTimeout(30_000)

describe('npm start', () => {
  let demos: Demo[]

  beforeEach(() => {
    demos = []
  })

  afterEach(async () => {
    for (const demo of demos) await demo.stop()
  })

  function run(...rest: ConstructorParameters<typeof Demo>): Demo {
    const demo = new Demo(...rest)
    demos.push(demo)
    return demo
  }

  it.each([
    ['Fastify', 'SIGINT', []],
    ['Fastify', 'SIGTERM', []],
    ['Express', 'SIGINT', ['--express']],
    ['Express', 'SIGTERM', ['--express']]
  ] as const)(
    'prints its URL with %s and ends by itself on %s, with clients connected',
    async (framework, signal, args) => {
      const demo = run([...args, '--port', '0'])
      const port = await demo.port()
      const polite = new Visitor(`ws://127.0.0.1:${port}`, 'Ada')
      await polite.entered()
      // It reads nothing any more, so it never answers the closing handshake.
      const deaf = new Visitor(`ws://127.0.0.1:${port}`, 'Grace')
      await deaf.entered()
      deaf.freeze()
      // Browsers open a connection before they need it, and keep one open between requests.
      const silent = connect(port, '127.0.0.1').on('error', () => {})
      await once(silent, 'connect')
      await (await fetch(`http://127.0.0.1:${port}/`)).text()

      const closed = polite.closed()
      const { exitCode, out, err } = await demo.signal(signal)
      deaf.leave()
      polite.leave()
      silent.destroy()
      expect({ exitCode, out, err }).toEqual({
        exitCode: 0,
        out: `Oneport chat on http://localhost:${port} (${framework}). Ctrl-C ends it.\n`,
        err: ''
      })
      expect(await closed).toBe(1001)
    }
  )

  it.each([
    ['Fastify', [], 'h2', 'The page and its WebSockets share one connection of HTTP/2.'],
    ['Express', ['--express'], 'http/1.1', 'Express cannot serve HTTP/2; this is HTTP/1.1 over TLS.']
  ] as const)(
    'with --https says how to open it with %s, and ends by itself with clients connected',
    async (framework, args, version, about) => {
      const demo = run([...args, '--https', '--port', '0'])
      const port = await demo.port()
      const polite = new Visitor(`wss://127.0.0.1:${port}`, 'Ada')
      await polite.entered()
      const deaf = new Visitor(`wss://127.0.0.1:${port}`, 'Grace')
      await deaf.entered()
      deaf.freeze()
      // What browsers keep between requests, and what they open before they need it: with TLS, and not even that.
      const options = { port, rejectUnauthorized: false, ALPNProtocols: ['h2', 'http/1.1'] }
      const idle = connectTls(options).on('error', () => {})
      const silent = connect(port, '127.0.0.1').on('error', () => {})
      await Promise.all([once(idle, 'secureConnect'), once(silent, 'connect')])
      expect(idle.alpnProtocol).toBe(version)

      const closed = polite.closed()
      const { exitCode, out, err } = await demo.signal('SIGTERM')
      deaf.leave()
      polite.leave()
      idle.destroy()
      silent.destroy()
      expect({ exitCode, out, err }).toEqual({
        exitCode: 0,
        out: [
          `Oneport chat on https://localhost:${port} (${framework}). Ctrl-C ends it.`,
          about,
          'Your browser will warn you: the certificate was made just now and is self-signed. You can safely continue.',
          ''
        ].join('\n'),
        err: ''
      })
      expect(await closed).toBe(1001)
    }
  )

  it('ends once when Ctrl-C comes from the terminal and from npm', async () => {
    const demo = run(['--port', '0'])
    const visitor = new Visitor(`ws://127.0.0.1:${await demo.port()}`, 'Ada')
    await visitor.entered()
    visitor.freeze()
    demo.process.kill('SIGINT')
    const { exitCode, signal } = await demo.signal('SIGINT')
    visitor.leave()
    expect({ exitCode, signal }).toEqual({ exitCode: 0, signal: null })
  })

  it.each([[[]], [['--express']]])('says that its port is in use, and which one is free, with %j', async (args) => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    const ended = await run(args, { PORT: String(port) }).ended
    other.close()
    expect(ended).toMatchObject({ exitCode: 1, out: '' })
    const [, free, again] =
      /^Port \d+ is in use by another program\. Port (\d+) is free: npm start -- --port (\d+)\n$/.exec(ended.err) ?? []
    expect(Number(free)).toBeGreaterThan(port)
    expect(again).toBe(free)
  })

  it('takes the next free port if none is given, and says so', async () => {
    // Another program may be using port 3000.
    await run([]).port()
    const demo = run([])
    const [, instead] = (await demo.printed(/^Port 3000 is in use; using (\d+) instead\.\n.*\n/)) as string[]
    expect(Number(instead)).toBeGreaterThan(3_000)
    expect((await demo.signal('SIGTERM')).out).toContain(`Oneport chat on http://localhost:${instead} (Fastify).`)
  })

  it('says where other devices find it', async () => {
    const demo = run(['--port', '0'], { HOST: '0.0.0.0' })
    const port = await demo.port()
    const addresses = Object.values(networkInterfaces())
      .flatMap((found = []) => found)
      .filter(({ family, internal }) => family === 'IPv4' && !internal)
    const { out } = await demo.signal('SIGTERM')
    expect(out.split('\n')).toEqual([
      `Oneport chat on http://localhost:${port} (Fastify). Ctrl-C ends it.`,
      ...addresses.map(({ address }) => `On your network: http://${address}:${port}`),
      ''
    ])
  })

  it.each([
    [['--expres'], "Unknown argument '--expres'. To list the known ones: npm start -- --help\n"],
    [['lobby'], "Unknown argument 'lobby'. To list the known ones: npm start -- --help\n"],
    [['--port'], '--port takes a number from 0 to 65535; got nothing.\n'],
    [['--port', '70000'], "--port takes a number from 0 to 65535; got '70000'.\n"],
    [['--host'], '--host takes an address such as 0.0.0.0; got nothing.\n'],
    [['--redis'], '--redis takes a URL such as redis://localhost:6379; got nothing.\n'],
    [['--redis', 'localhost'], "--redis takes a URL such as redis://localhost:6379; got 'localhost'.\n"]
  ])('answers %j with one sentence', async (args, err) => {
    expect(await run(args).ended).toMatchObject({ exitCode: 2, out: '', err })
  })

  describe.each([
    ['Fastify', []],
    ['Express', ['--express']]
  ] as const)('in several processes with %s', (_framework, args) => {
    let port: number
    let visitors: Visitor[]

    beforeEach(async () => {
      visitors = []
      port = await run([...args, '--port', '0']).port()
    })

    afterEach(() => {
      for (const visitor of visitors) visitor.leave()
    })

    const processOf = (visitor: Visitor): number | undefined => visitor.connected.at(-1)?.process

    async function visit(nickname: string): Promise<Visitor> {
      const visitor = new Visitor(`ws://127.0.0.1:${port}`, nickname)
      visitors.push(visitor)
      await visitor.entered()
      return visitor
    }

    /** Two visitors, each in a process of its own. */
    async function visitBoth(): Promise<[Visitor, Visitor]> {
      const ada = await visit('Ada')
      for (;;) {
        const grace = await visit('Grace')
        if (processOf(grace) !== processOf(ada)) return [ada, grace]
        grace.leave()
      }
    }

    async function kill(pid: number | undefined): Promise<void> {
      const { status } = await fetch(`http://127.0.0.1:${port}/kill/${pid}`, {
        method: 'POST',
        headers: { Origin: `http://127.0.0.1:${port}`, Cookie: 'oneport_nickname=Ada' }
      })
      expect(status).toBe(202)
    }

    it('shows the people of all of them', async () => {
      const [ada, grace] = await visitBoth()
      for (const visitor of [ada, grace]) {
        await visitor.until(({ people }) => people.join() === 'lobby/Ada,lobby/Grace')
      }
      grace.leave()
      await ada.until(({ people }) => people.join() === 'lobby/Ada')
    })

    it('loses nothing and doubles nothing when one is killed, and then the other', async () => {
      const [ada, grace] = await visitBoth()
      const texts: string[] = []
      const say = async (visitor: Visitor, text: string) => {
        texts.push(text)
        await visitor.say(text)
      }
      await say(ada, 'one')
      await say(grace, 'two')
      const first = processOf(grace)
      const closed = grace.closed()
      await kill(first)
      await say(ada, 'three')
      await closed
      await say(grace, 'four')
      await grace.until((visitor) => processOf(visitor) !== first)
      await kill(processOf(ada))
      await say(grace, 'five')
      await say(ada, 'six')
      for (const visitor of [ada, grace]) {
        await visitor.hears('six')
        expect(visitor.said.map(({ text }) => text)).toEqual(texts)
      }
    })

    it('security: kills no process that is not one of its own', async () => {
      const ada = await visit('Ada')
      const other = spawn(process.execPath, ['--eval', 'process.stdin.resume()'], {
        stdio: ['pipe', 'ignore', 'ignore']
      })
      await once(other, 'spawn')
      await kill(other.pid)
      await ada.say('Still here')
      const ended = once(other, 'exit')
      other.stdin.end()
      expect(await ended).toEqual([0, null])
      expect(ada.connected).toHaveLength(1)
    })
  })

  describeWith(redisProgram, 'with --redis', () => {
    let redis: RedisServer
    let visitors: Visitor[]

    beforeEach(async () => {
      redis = await RedisServer.start()
      visitors = []
    })

    afterEach(async () => {
      for (const visitor of visitors) visitor.leave()
      await redis.stop()
    })

    async function visit(demo: Demo, nickname: string): Promise<Visitor> {
      const visitor = new Visitor(`ws://127.0.0.1:${await demo.port()}`, nickname)
      visitors.push(visitor)
      await visitor.entered()
      return visitor
    }

    /** Everybody there is, all in the lobby. */
    const seeing = (visitor: Visitor, ...names: string[]) =>
      visitor.until(({ people }) => people.join() === names.map((name) => `lobby/${name}`).join())

    it('passes on what is said to other processes, with what was said before, and ends by itself', async () => {
      const demos = [
        run(['--port', '0', '--redis', redis.url]),
        run(['--express', '--port', '0', '--redis', redis.url])
      ] as const
      const ada = await visit(demos[0], 'Ada')
      await ada.say('Anybody here?')
      const grace = await visit(demos[1], 'Grace')
      await grace.hears('Anybody here?')
      await grace.say('Hello, Ada')
      await ada.hears('Hello, Ada')
      for (const demo of demos) {
        const { exitCode, out, err } = await demo.signal('SIGTERM')
        expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' })
        expect(out).toContain('Ctrl-C ends it.\nEvery process with this Redis shares the chat and its history.\n')
      }
    })

    it('shows the people of all processes, until they leave, or their process ends', async () => {
      const [one, ending] = [run(['--port', '0', '--redis', redis.url]), run(['--port', '0', '--redis', redis.url])]
      const ada = await visit(one, 'Ada')
      const [grace, mary] = [await visit(ending, 'Grace'), await visit(ending, 'Mary')]
      await seeing(ada, 'Ada', 'Grace', 'Mary')
      await seeing(grace, 'Ada', 'Grace', 'Mary')
      mary.leave()
      await seeing(ada, 'Ada', 'Grace')
      await ending.signal('SIGTERM')
      await seeing(ada, 'Ada')
    })

    it('ends if its port is in use', async () => {
      const other = createServer().listen(0, '127.0.0.1')
      await once(other, 'listening')
      const { port } = other.address() as AddressInfo
      const { exitCode, err } = await run(['--port', String(port), '--redis', redis.url]).ended
      other.close()
      expect({ exitCode, err }).toEqual({ exitCode: 1, err: expect.stringContaining(`Port ${port} is in use`) })
    })

    it('publishes what is said while Redis is away when it is back', async () => {
      const ada = await visit(run(['--port', '0', '--redis', redis.url]), 'Ada')
      await redis.kill()
      const said = ada.say('Anybody here?')
      await redis.start()
      await said
      await ada.hears('Anybody here?')
      expect(ada.said).toHaveLength(1)
    })
  })

  it('with --redis says once that it cannot reach it', async () => {
    const closed = createServer().listen(0, '127.0.0.1')
    await once(closed, 'listening')
    const { port } = closed.address() as AddressInfo
    closed.close()
    const demo = run(['--port', '0', '--redis', `redis://127.0.0.1:${port}`])
    await demo.complained(/\n/)
    const { exitCode, err } = await demo.signal('SIGTERM')
    expect({ exitCode, err }).toEqual({
      exitCode: 0,
      err: 'Redis cannot be reached (ECONNREFUSED). Until it can, messages wait.\n'
    })
  })

  it.each(['--help', '-h'])('says how to use it, with %s', async (argument) => {
    const { exitCode, out, err } = await run([argument]).ended
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' })
    expect(out).toContain('npm start -- --express')
  })
})
