import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { describeWith, RedisServer, redisProgram } from '@oneport/test-kit'
import { Visitor } from './visitor.ts'

// As built: it is what `npm start` runs, and `npm test` builds before it tests.
const main = join(__dirname, '../dist/main.js')

/** Long after the second that the demo has to end in; a process that is still there then counts as hanging. */
const patienceMs = 4_000

// A process takes its time to start on a busy machine.
jest.setTimeout(30_000)

interface Ended {
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  readonly out: string
  readonly err: string
}

class Demo {
  readonly process: ChildProcess
  readonly #text = { out: '', err: '' }
  readonly ended: Promise<Ended>
  #timer: NodeJS.Timeout | undefined

  constructor(args: string[], env: NodeJS.ProcessEnv = {}) {
    const { PORT: _port, HOST: _host, ...inherited } = process.env
    this.process = spawn(process.execPath, [main, ...args], { env: { ...inherited, ...env } })
    for (const [name, stream] of [
      ['out', this.process.stdout],
      ['err', this.process.stderr]
    ] as const) {
      stream?.on('data', (chunk: Buffer) => {
        this.#text[name] += chunk.toString()
      })
    }
    this.ended = once(this.process, 'close').then(([exitCode, signal]) => {
      clearTimeout(this.#timer)
      return { exitCode, signal, ...this.#text }
    })
  }

  /** Waits until it has printed something. */
  async printed(text: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = text.exec(this.#text.out)
      if (match !== null) return match
      await once(this.process.stdout as NodeJS.ReadableStream, 'data')
    }
  }

  /** The port in the URL that it prints. */
  async port(): Promise<number> {
    return Number((await this.printed(/localhost:(\d+).*\n/))[1])
  }

  signal(signal: NodeJS.Signals): Promise<Ended> {
    this.process.kill(signal)
    this.#timer = setTimeout(() => this.process.kill('SIGKILL'), patienceMs)
    return this.ended
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer)
    this.process.kill('SIGKILL')
    await this.ended
  }
}

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
      await polite.hear('welcome')
      // It reads nothing any more, so it never answers the closing handshake.
      const deaf = new Visitor(`ws://127.0.0.1:${port}`, 'Grace')
      await deaf.hear('welcome')
      deaf.socket.pause()
      // Browsers open a connection before they need it, and keep one open between requests.
      const silent = connect(port, '127.0.0.1').on('error', () => {})
      await once(silent, 'connect')
      await (await fetch(`http://127.0.0.1:${port}/`)).text()

      const closed = polite.closed()
      const { exitCode, out, err } = await demo.signal(signal)
      deaf.socket.terminate()
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
      await polite.hear('welcome')
      const deaf = new Visitor(`wss://127.0.0.1:${port}`, 'Grace')
      await deaf.hear('welcome')
      deaf.socket.pause()
      // What browsers keep between requests, and what they open before they need it: with TLS, and not even that.
      const options = { port, rejectUnauthorized: false, ALPNProtocols: ['h2', 'http/1.1'] }
      const idle = connectTls(options).on('error', () => {})
      const silent = connect(port, '127.0.0.1').on('error', () => {})
      await Promise.all([once(idle, 'secureConnect'), once(silent, 'connect')])
      expect(idle.alpnProtocol).toBe(version)

      const closed = polite.closed()
      const { exitCode, out, err } = await demo.signal('SIGTERM')
      deaf.socket.terminate()
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
    await visitor.hear('welcome')
    visitor.socket.pause()
    demo.process.kill('SIGINT')
    const { exitCode, signal } = await demo.signal('SIGINT')
    visitor.socket.terminate()
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

  describeWith(redisProgram, 'with --redis', () => {
    let redis: RedisServer
    let visitors: Visitor[]

    beforeEach(async () => {
      redis = await RedisServer.start()
      visitors = []
    })

    afterEach(async () => {
      for (const { socket } of visitors) socket.terminate()
      await redis.stop()
    })

    async function visit(demo: Demo, nickname: string): Promise<Visitor> {
      const visitor = new Visitor(`ws://127.0.0.1:${await demo.port()}`, nickname)
      visitors.push(visitor)
      await visitor.hear('welcome')
      return visitor
    }

    const seeing = (visitor: Visitor, ...names: string[]) =>
      visitor.hear('people', ({ people }) => people.join() === names.join())

    it('passes on what is said to other processes, and ends by itself', async () => {
      const demos = [
        run(['--port', '0', '--redis', redis.url]),
        run(['--express', '--port', '0', '--redis', redis.url])
      ] as const
      const [ada, grace] = await Promise.all([visit(demos[0], 'Ada'), visit(demos[1], 'Grace')])
      // A subscription at Redis takes a moment.
      const speaking = setInterval(() => ada.say('Hello, Grace'), 300)
      expect(await grace.hear('said')).toMatchObject({ nickname: 'Ada', text: 'Hello, Grace' })
      clearInterval(speaking)
      grace.say('Hello, Ada')
      await ada.hear('said', ({ nickname, text }) => nickname === 'Grace' && text === 'Hello, Ada')
      for (const demo of demos) {
        const { exitCode, out, err } = await demo.signal('SIGTERM')
        expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' })
        expect(out).toContain(
          'Ctrl-C ends it.\nEvery process with this Redis shares the chat. Each keeps its own history.\n'
        )
      }
    })

    it('shows the people of all processes, until they leave, or their process ends or dies', async () => {
      const [one, ending, dying] = Array.from({ length: 3 }, () => run(['--port', '0', '--redis', redis.url]))
      const ada = await visit(one as Demo, 'Ada')
      const grace = await visit(ending as Demo, 'Grace')
      const [mary] = [await visit(dying as Demo, 'Mary'), await visit(dying as Demo, 'Tim')]
      await seeing(ada, 'Ada', 'Grace', 'Mary', 'Tim')
      await seeing(grace, 'Ada', 'Grace', 'Mary', 'Tim')
      mary.socket.close()
      await seeing(ada, 'Ada', 'Grace', 'Tim')
      await (ending as Demo).signal('SIGTERM')
      await seeing(ada, 'Ada', 'Tim')
      await (dying as Demo).stop()
      await seeing(ada, 'Ada')
      expect((await ada.hear('rooms')).rooms).toEqual([{ name: 'lobby', people: 1 }])
    })

    it('ends if its port is in use', async () => {
      const other = createServer().listen(0, '127.0.0.1')
      await once(other, 'listening')
      const { port } = other.address() as AddressInfo
      const { exitCode, err } = await run(['--port', String(port), '--redis', redis.url]).ended
      other.close()
      expect({ exitCode, err }).toEqual({ exitCode: 1, err: expect.stringContaining(`Port ${port} is in use`) })
    })

    it('shows its own people while Redis is away, and those of all processes afterwards', async () => {
      const demos = [run(['--port', '0', '--redis', redis.url]), run(['--port', '0', '--redis', redis.url])] as const
      const ada = await visit(demos[0], 'Ada')
      await visit(demos[1], 'Grace')
      await seeing(ada, 'Ada', 'Grace')
      await redis.kill()
      await seeing(ada, 'Ada')
      await redis.start()
      await seeing(ada, 'Ada', 'Grace')
    })
  })

  it('with --redis says once that it cannot reach it, and is a chat without it', async () => {
    const closed = createServer().listen(0, '127.0.0.1')
    await once(closed, 'listening')
    const { port } = closed.address() as AddressInfo
    closed.close()
    const demo = run(['--port', '0', '--redis', `redis://127.0.0.1:${port}`])
    const ada = new Visitor(`ws://127.0.0.1:${await demo.port()}`, 'Ada')
    await ada.hear('welcome')
    ada.say('Anybody here?')
    await ada.hear('said')
    const { exitCode, err } = await demo.signal('SIGTERM')
    expect({ exitCode, err }).toEqual({
      exitCode: 0,
      err: 'Redis cannot be reached (ECONNREFUSED). Until it can, this process chats alone.\n'
    })
  })

  it.each(['--help', '-h'])('says how to use it, with %s', async (argument) => {
    const { exitCode, out, err } = await run([argument]).ended
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' })
    expect(out).toContain('npm start -- --express')
  })
})
