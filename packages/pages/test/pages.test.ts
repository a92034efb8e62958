import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { dirname, join, posix } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { runInNewContext } from 'node:vm'
import {
  type AttachOptions,
  acceptWebSocket,
  attach,
  type EndpointOptions,
  HandshakeError,
  type HandshakeErrorCode
} from '@oneport/core'
import { wsUpgrade } from '@oneport/express'
import { connect as connectInMemory } from '@oneport/testing'
import { addressesIn, anchorsOf, blocksOf, linksOf, pages, readPage, root, tableRows } from '../src/markdown.ts'

const coreFolder = join(root, 'packages/core/src')
const coreFiles = readdirSync(coreFolder, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.replaceAll('\\', '/'))
/** All of core, whichever file something is in. */
const core = coreFiles.map((file) => readFileSync(join(coreFolder, file), 'utf8')).join('\n')
const testing = readFileSync(join(root, 'packages/testing/src/options.ts'), 'utf8')
const topics = readFileSync(join(root, 'packages/topics/src/options.ts'), 'utf8')
const fastify = readFileSync(join(root, 'packages/fastify/src/plugin-options.ts'), 'utf8')
const redis = readFileSync(join(root, 'packages/redis/src/options.ts'), 'utf8')
const postgres = readFileSync(join(root, 'packages/postgres/src/options.ts'), 'utf8')
const withoutQuotes = (cell: string): string => cell.replaceAll('`', '')

describe('the links of', () => {
  test.each(pages())('%s lead somewhere', (page) => {
    const broken = linksOf(page).filter((target) => {
      if (/^https:\/\//.test(target)) return false
      const [path = '', anchor] = target.split('#')
      const file = path === '' ? page : posix.join(dirname(page), path)
      if (!existsSync(join(root, file))) return true
      return anchor !== undefined && !anchorsOf(file).includes(anchor)
    })
    expect(broken).toEqual([])
  })
})

describe('the README of a public package', () => {
  const readmes = readdirSync(join(root, 'packages'))
    .filter((name) => existsSync(join(root, 'packages', name, 'package.json')))
    .filter((name) => JSON.parse(readPage(`packages/${name}/package.json`)).private !== true)
    .map((name) => `packages/${name}/README.md`)

  test.each(readmes)('%s has links that work on npm', (page) => {
    expect(addressesIn(page).filter((target) => !/^(?:https:\/\/|#)/.test(target))).toEqual([])
  })
})

describe('the pages', () => {
  test('name no missing file, in code between backticks', () => {
    const missing = pages().flatMap((page) =>
      [...readPage(page).matchAll(/`((?:packages|docs)\/[\w./-]+)`/g)]
        .filter(([, path]) => !existsSync(join(root, path as string)))
        .map(([, path]) => `${page}: ${path}`)
    )
    expect(missing).toEqual([])
  })

  test('can all be reached from the README, or from that of their folder', () => {
    const targets = ['README.md', 'docs/README.md', 'docs/deploy/README.md'].flatMap((page) =>
      linksOf(page).map((target) => posix.join(dirname(page), target.split('#')[0] as string))
    )
    const unreached = pages().filter((page) => /^(?:docs\/|[A-Z]+\.md$)/.test(page) && page !== 'README.md')
    expect(unreached.filter((page) => !targets.includes(page))).toEqual([])
  })
})

describe('the picture', () => {
  const [handshake, layout] = ['packages/core/src/README.md', 'CONTRIBUTING.md'].map(
    (page) => blocksOf(page).find(({ label }) => label === 'picture')?.text
  )

  test('of one handshake names existing files of core, and together with the text below it all of them', () => {
    const named = handshake?.match(/[\w/-]+\.ts/g) ?? []
    expect(named.length).toBeGreaterThan(10)
    expect(named.filter((file) => !coreFiles.includes(file))).toEqual([])
    const text = readPage('packages/core/src/README.md')
    expect(coreFiles.filter((file) => !text.includes(file))).toEqual([])
  })

  test('of the layout names the folders that are there', () => {
    const named = layout?.match(/^ {2}([\w-]+)\//gm)?.map((line) => line.trim().slice(0, -1)) ?? []
    const packages = readdirSync(join(root, 'packages'))
    expect(named.sort()).toEqual(packages.filter((name) => existsSync(join(root, 'packages', name, 'package.json'))))
  })
})

/** The options that an interface declares in the source, with the defaults from their comments. */
function declared(name: string, source = core): Record<string, string | undefined> {
  const body = new RegExp(`export interface ${name}[^{]*\\{\\n(.*?)\\n\\}`, 's').exec(source)?.[1] ?? ''
  const members = [...body.matchAll(/ {2}\/\*\*(.*?)\*\/\n {2}(\w+)\?:/gs)]
  return Object.fromEntries(
    members.map(([, comment, option]) => [option, /@default (.*)/.exec(comment ?? '')?.[1]?.trim()])
  )
}

/** The options in the table of a page that has a certain column, with their defaults. */
function documented(page: string, header: string, column: number): Record<string, string> {
  const rows = tableRows(page)
  const first = rows.findIndex(([name, ...rest]) => name === 'Option' && rest.includes(header)) + 1
  const length = rows.slice(first).findIndex(([name]) => !/^`\w+`$/.test(name ?? ''))
  const own = rows.slice(first, length === -1 ? undefined : first + length)
  return Object.fromEntries(own.map((row) => [withoutQuotes(row[0] as string), withoutQuotes(row[column] as string)]))
}

const withNone = (options: Record<string, string | undefined>) =>
  Object.fromEntries(
    Object.entries(options).map(([name, value]) => [name, value === undefined ? 'none' : withoutQuotes(value)])
  )

describe('the table of options', () => {
  const all = withNone({ ...declared('EndpointOptions'), ...declared('ServerOptions') })

  test('in docs/options.md lists those of the code, with their defaults', () => {
    expect(Object.keys(all)).toHaveLength(24)
    expect(documented('docs/options.md', 'To turn it off', 2)).toEqual(all)
  })

  test('in docs/shutdown.md lists those of drain(), with their defaults', () => {
    expect(documented('docs/shutdown.md', 'Meaning', 2)).toEqual(withNone(declared('DrainOptions')))
  })

  test("in docs/options.md for Fastify lists the plugin's own, with their defaults", () => {
    const own = withNone(declared('WsPluginOptions', fastify))
    expect(Object.keys(own)).toHaveLength(1)
    const rows = tableRows('docs/options.md').filter(([name = '']) => withoutQuotes(name) in own)
    const found = rows.map(([name = '', , byDefault = '']) => [withoutQuotes(name), withoutQuotes(byDefault)])
    expect(Object.fromEntries(found)).toEqual(own)
  })

  test('in docs/testing.md lists those of connect(), with their defaults', () => {
    expect(documented('docs/testing.md', 'Meaning', 1)).toEqual(withNone(declared('ConnectOptions', testing)))
  })

  test('in docs/topics.md lists those of createTopics(), with their defaults', () => {
    const table = tableRows('docs/topics.md')
    const own = table.slice(table.findIndex(([name]) => name === '`maxBufferedBytes`'))
    const rows = own.slice(0, own.findIndex(([name]) => name === '`onError`') + 1)
    const found = rows.map(([name = '', byDefault = '']) => [withoutQuotes(name), withoutQuotes(byDefault)])
    const expected = withNone(declared('TopicsOptions', topics))
    expect(Object.fromEntries(found)).toEqual({ ...expected, onError: expected.onError?.split(';')[0] })
  })

  test('in docs/postgres.md lists those of postgresBackplane(), with their defaults', () => {
    expect(documented('docs/postgres.md', 'Meaning', 1)).toEqual(
      withNone(declared('PostgresBackplaneOptions', postgres))
    )
  })

  test('in docs/redis.md lists those of redisBackplane(), with their defaults', () => {
    const expected = { client: 'required', ...withNone(declared('RedisBackplaneOptions', redis)) }
    expect(documented('docs/redis.md', 'Meaning', 1)).toEqual(expected)
  })

  test('in docs/options.md has an example for each', () => {
    const code = blocksOf('docs/options.md').map(({ text }) => text)
    expect(Object.keys(all).filter((name) => !code.some((text) => text.includes(`${name}:`)))).toEqual([])
  })
})

const codes = [...core.matchAll(/^ {2}(HANDSHAKE_\w+): \{ status/gm)].map(([, code]) => code as string)

describe('the table of refusals', () => {
  const errors = codes.map((code) => new HandshakeError(code as HandshakeErrorCode, ''))

  test('in docs/errors.md lists the codes of the code, with status and header fields', () => {
    expect(codes.length).toBeGreaterThan(10)
    const rows = tableRows('docs/errors.md').filter(([code]) => /^`HANDSHAKE_/.test(code ?? ''))
    const expected = errors.map(({ code, headers, status }) => [
      `\`${code}\``,
      String(status),
      Object.entries(headers)
        .map(([name, value]) => `\`${name}: ${value}\``)
        .join(', ')
    ])
    expect(rows).toEqual(expected)
  })

  test('in docs/errors.md is followed by a section for each code', () => {
    const sections = [...readPage('docs/errors.md').matchAll(/^### (\w+)$/gm)].map(([, code]) => code)
    expect(sections).toEqual(codes)
  })
})

/** A handshake as raw text. Undefined leaves a field out. */
function handshake(fields: Record<string, string | undefined> = {}, line = 'GET / HTTP/1.1'): string {
  const all = {
    Host: 'app.example',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    ...fields
  }
  const lines = Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]))
  return [line, ...lines, '', ''].join('\r\n')
}

describe('the message in docs/errors.md', () => {
  const provoked: [code: HandshakeErrorCode, bytes: string, options?: AttachOptions, status?: number][] = [
    ['HANDSHAKE_METHOD', 'POST / HTTP/1.1\r\nHost: app.example\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'],
    ['HANDSHAKE_METHOD', handshake({}, 'GET / HTTP/1.0')],
    ['HANDSHAKE_UPGRADE_REQUIRED', 'GET / HTTP/1.1\r\nHost: app.example\r\nConnection: close\r\n\r\n'],
    ['HANDSHAKE_HOST', handshake({ host: 'other.example' })],
    ['HANDSHAKE_HOST', handshake({ Host: 'evil.example' }), { allowedHosts: ['app.example'] }, 421],
    ['HANDSHAKE_VERSION', handshake({ 'Sec-WebSocket-Version': '12' })],
    ['HANDSHAKE_KEY', handshake({ 'Sec-WebSocket-Key': 'c2hvcnQ=' })],
    ['HANDSHAKE_ORIGIN', handshake({ Origin: 'https://evil.example' })],
    ['HANDSHAKE_ORIGIN', handshake(), { requireOrigin: true }],
    ['HANDSHAKE_SUBPROTOCOL', handshake({ 'Sec-WebSocket-Protocol': 'a, a' })],
    ['HANDSHAKE_SUBPROTOCOL', handshake(), { subprotocols: ['chat.v2'], requireSubprotocol: true }],
    ['HANDSHAKE_EXTENSION', handshake({ 'Sec-WebSocket-Extensions': 'x; y=;' })],
    ['HANDSHAKE_UNAVAILABLE', handshake()],
    ['HANDSHAKE_NOT_ATTACHED', handshake()]
  ]

  test.each(provoked)('of %s is what the client gets', async (code, bytes, options = {}, status) => {
    const refused: string[] = []
    const listener: RequestListener = (req, res) => {
      req.resume()
      void acceptWebSocket(req, res, () => {})
    }
    const server = createServer(listener)
    const onRefused = (error: HandshakeError) => refused.push(error.code)
    const attachment = attach(server, listener, { ...options, onRefused })
    if (code === 'HANDSHAKE_UNAVAILABLE') await attachment.drain()
    if (code === 'HANDSHAKE_NOT_ATTACHED') attachment.detach()
    await once(server.listen(0), 'listening')
    jest.spyOn(process.stderr, 'write').mockImplementation(() => true)
    try {
      const socket = connect((server.address() as AddressInfo).port)
      let text = ''
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString()
      })
      socket.write(bytes)
      while (!/\r\n\r\n.*\n$/s.test(text)) await once(socket, 'data')
      socket.destroy()
      const [head = '', message = ''] = text.split('\r\n\r\n')
      expect(head).toContain(`HTTP/1.1 ${status ?? new HandshakeError(code, '').status} `)
      const section = readPage('docs/errors.md').split(`### ${code}\n`)[1]?.split('\n## ')[0]?.split('\n### ')[0]
      expect(section).toContain(`\n> ${message.trim()}\n`)
      // Refused outside the attachment's handshakes, so logged by the default instead.
      if (!['HANDSHAKE_METHOD', 'HANDSHAKE_UPGRADE_REQUIRED', 'HANDSHAKE_NOT_ATTACHED'].includes(code))
        expect(refused).toEqual([code])
    } finally {
      server.closeAllConnections()
      await once(server.close(), 'close')
    }
  })

  const limits: [code: HandshakeErrorCode, options: AttachOptions, first: string][] = [
    ['HANDSHAKE_UNAVAILABLE', { maxConnections: 1 }, '/'],
    ['HANDSHAKE_UNAVAILABLE', { maxPendingHandshakes: 1, handshakeTimeoutMs: 1_000 }, '/stuck'],
    ['HANDSHAKE_TOO_MANY', { maxConnectionsPerAddress: 1 }, '/'],
    ['HANDSHAKE_TOO_MANY', { maxPendingHandshakesPerAddress: 1, handshakeTimeoutMs: 1_000 }, '/stuck'],
    ['HANDSHAKE_TIMEOUT', { handshakeTimeoutMs: 100, maxPendingHandshakes: 2 }, '/']
  ]

  test.each(limits)('of %s is what the client gets with the limit %p', async (code, options, first) => {
    let arrive = (): void => {}
    const arrived = new Promise<void>((resolve) => {
      arrive = resolve
    })
    const listener: RequestListener = (req, res) => {
      arrive()
      if (req.url !== '/stuck') void acceptWebSocket(req, res, () => {})
    }
    const server = createServer(listener)
    attach(server, listener, { ...options, onRefused: () => {} })
    await once(server.listen(0), 'listening')
    const { port } = server.address() as AddressInfo
    const [inFront, socket] = [connect(port), connect(port)]
    try {
      inFront.write(handshake({}, `GET ${first} HTTP/1.1`))
      await arrived
      let text = ''
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString()
      })
      socket.write(handshake({}, `GET ${code === 'HANDSHAKE_TIMEOUT' ? '/stuck' : '/'} HTTP/1.1`))
      while (!/\r\n\r\n.*\n$/s.test(text)) await once(socket, 'data')
      const [head = '', message = ''] = text.split('\r\n\r\n')
      expect(head).toContain(`HTTP/1.1 ${new HandshakeError(code, '').status} `)
      const section = readPage('docs/errors.md').split(`### ${code}\n`)[1]?.split('\n### ')[0]?.split('\n## ')[0]
      expect(section).toContain(`\n> ${message.trim()}\n`)
    } finally {
      inFront.destroy()
      socket.destroy()
      await once(server.close(), 'close')
    }
  })

  test('of HANDSHAKE_ABORTED matches the code', () => {
    expect(core).toContain("'The client disconnected before its handshake was answered.'")
    expect(readPage('docs/errors.md')).toContain('> The client disconnected before its handshake was answered.\n')
  })
})

test('docs/errors.md has the messages of mistakes', () => {
  const rows = tableRows('docs/errors.md').filter(([code]) => code?.startsWith('`wsUpgrade({'))
  expect(rows.length).toBeGreaterThan(5)
  for (const [code = '', end = ''] of rows) {
    const call = () => runInNewContext(withoutQuotes(code), { wsUpgrade, Date })
    expect(call).toThrow(/^wsUpgrade: /)
    expect(call).toThrow(withoutQuotes(end))
  }
})

test('messages point to pages and headings that are there', () => {
  const files = readdirSync(join(root, 'packages'), { withFileTypes: true }).flatMap(({ name }) => {
    const folder = join(root, 'packages', name, 'src')
    if (!existsSync(folder)) return []
    return readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file))
  })
  const texts = files.filter((file) => file.endsWith('.ts')).map((file) => readFileSync(file, 'utf8'))
  const targets = texts.flatMap((text) => [...text.matchAll(/\$\{pages\}\/([\w-]+\.md)(?:#([\w-]+))?/g)])
  expect(targets.length).toBeGreaterThan(5)
  for (const [, page, anchor] of targets) {
    expect(pages()).toContain(`docs/${page}`)
    if (anchor !== undefined) expect(anchorsOf(`docs/${page}`)).toContain(anchor)
  }
})

describe('early messages', () => {
  test('that arrive before there is a listener are kept, as the README says', async () => {
    const listener: RequestListener = (req, res) =>
      acceptWebSocket(req, res, async (socket) => {
        await sleep(50)
        socket.on('message', (data) => socket.send(String(data)))
        socket.send('now')
      })
    const server = createServer(listener)
    attach(server, listener)
    await using client = await connectInMemory(server)
    client.send('early')
    expect(await client.next()).toBe('now')
    client.send('late')
    expect([await client.next(), await client.next()]).toEqual(['early', 'late'])
  })
})

describe('a mistake in a listener that returns its promise', () => {
  test.each<[mistake: string, options: EndpointOptions]>([
    ['a wrong option', { maxPayload: 1 } as EndpointOptions],
    ['an option function that throws', { subprotocols: () => JSON.parse('') }]
  ])('%s is a fault in dispatch, answered with 500', async (_mistake, options) => {
    const phases: string[] = []
    const listener: RequestListener = (req, res) => acceptWebSocket(req, res, options, () => {})
    const server = createServer(listener)
    attach(server, listener, { onError: (_error, { phase }) => phases.push(phase) })
    await once(server.listen(0), 'listening')
    const socket = connect((server.address() as AddressInfo).port)
    socket.end(handshake())
    const [answer] = await once(socket, 'data')
    expect(String(answer)).toMatch(/^HTTP\/1\.1 500 /)
    expect(phases).toEqual(['dispatch'])
    socket.destroy()
    await once(server.close(), 'close')
  })
})
