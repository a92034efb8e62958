import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Program as DebianProgram,
  PostgresServer,
  postgresProgram,
  RedisServer,
  redisProgram,
  startRedisCluster
} from '@oneport/test-kit'
import { consoleLogs, examples } from '../src/examples.ts'
import { type Block, blocksOf, pages, root, sidesOf } from '../src/markdown.ts'
import {
  atPort,
  checkTypes,
  Program,
  removePrograms,
  runScript,
  runShell,
  writeCertificate,
  writePrograms
} from '../src/program.ts'
import { recipeBlocks } from '../src/recipes.ts'

const blocks = pages().flatMap((page) => blocksOf(page))
const where = ({ page, line }: Block): string => `${page}:${line}`

/** The blocks whose comment begins with a word, named by what follows the word. */
const labelled = (word: string): [name: string, block: Block][] =>
  blocks.flatMap((block) =>
    block.label?.startsWith(`${word}: `) ? [[block.label.slice(word.length + 2), block] as [string, Block]] : []
  )

/** In a diff, the name belongs to the program after the change. */
const examplesOfPages = labelled('example').flatMap(([name, block]): [name: string, block: Block][] => {
  if (block.language !== 'diff') return [[name, block]]
  const { before, after } = sidesOf(block)
  return [
    [`${name}-before`, before],
    [name, after]
  ]
})
const programs = new Map(examplesOfPages)
const scripts = new Map(labelled('script'))
const consoles = labelled('console').flatMap(([names, block]) =>
  names.split(', ').map((name): [string, Block] => [name, block])
)

/** Each shell block that needs a program, with the blocks below it that show its output. */
const sessions = blocks.flatMap((block, index) => {
  if (!block.label?.startsWith('shell: ')) return []
  const rest = blocks.slice(index + 1)
  const end = rest.findIndex(({ label, page }) => page !== block.page || !/^(?:output|log)\b/.test(label ?? ''))
  return [{ name: block.label.slice('shell: '.length), block, shown: rest.slice(0, end === -1 ? undefined : end) }]
})

// A program has 30 s to start listening and 10 s to exit.
jest.setTimeout(60_000)

let running: Program[] = []
let servers: (PostgresServer | RedisServer)[] = []

async function start(...example: Parameters<typeof Program.start>): Promise<Program> {
  const program = await Program.start(...example)
  running.push(program)
  return program
}

const lines = consoles.map(([, block], index): [string, Block] => [`console-${index}`, block])
/** Those of recipes are run by tests of their own. */
const recipes = recipeBlocks()
  // Next.js declares its default export as a bundler sees it, not as Node does. The files of Nitro and AdonisJS import each
  // other or have globals, and those for h3 1 would be compared with h3 2. The list in Vue's `ref([])` is one of nothing.
  // Scripts of pages know that their elements are there.
  .filter(
    ([path, { language }]) =>
      language === 'js' &&
      !/^(?:adonisjs|client-vue|h3-1|next|nitro|nitro-2)\/|^moving-socket-io.*\/main\.js$/.test(path)
  )
  .map(([path, block]): [string, Block] => [`recipe-${path.replaceAll(/\W/g, '-')}`, block])
const files = new Map([...programs, ...scripts, ...lines, ...recipes])
/**
 * Feathers, too, declares its default export as a bundler sees it, and its contexts as applications declare them. With
 * exactOptionalPropertyTypes, a WebSocketServer of ws does not have the type that @hono/node-server 2 wants.
 * The types of koa-easy-ws have a default export, which it does not have in Node.
 */
const untyped = ['moving-hono-node-server-before', 'moving-koa-easy-ws-before']
const typed = new Map([...files].filter(([name]) => !name.startsWith('feathers-') && !untyped.includes(name)))

beforeAll(async () => {
  writePrograms(files)
  await writeCertificate()
})

afterEach(async () => {
  for (const program of running) await program.end()
  for (const server of servers) await server.stop()
  running = []
  servers = []
})

afterAll(removePrograms)

describe('every code block', () => {
  test('is of a kind that a test runs or compares', () => {
    const kinds: Record<string, RegExp> = {
      js: /^(?:browser|example|console|file|part of|recipe): /,
      jsx: /^recipe: /,
      vue: /^recipe: /,
      svelte: /^recipe: /,
      html: /^recipe: /,
      diff: /^(?:change|example): /,
      ts: /^(?:example|file|script): /,
      sh: /^shell: |^$/,
      http: /^output$/,
      text: /^picture$|^log: |^conversation$/,
      abnf: /^grammar$/,
      nginx: /^(?:file|part of|instead of): /,
      haproxy: /^(?:file|instead of): /,
      caddy: /^(?:file|instead of): /,
      ini: /^file: /,
      yaml: /^file: /
    }
    const unknown = blocks.filter(({ language, label }) => kinds[language]?.test(label ?? '') !== true)
    expect(unknown.map((block) => `${where(block)}: ${block.language} with ${block.label ?? 'no comment'}`)).toEqual([])
  })

  test('with a program has a unique name and is run', () => {
    expect(examplesOfPages).toHaveLength(programs.size)
    expect([...programs.keys()].sort()).toEqual(Object.keys(examples).sort())
    expect(consoles.map(([name]) => name).sort()).toEqual(Object.keys(consoleLogs).sort())
  })

  test('that shows an output or a log follows a command', () => {
    const shown = new Set(sessions.flatMap((session) => session.shown))
    const alone = blocks.filter((block) => /^(?:output|log)\b/.test(block.label ?? '') && !shown.has(block))
    expect(alone.map(where)).toEqual([])
  })

  test.each(['js', 'ts'] as const)('in %s has correct types', async (language) => {
    expect(await checkTypes(typed, language)).toBe('')
  })
})

/** The server or servers that a program needs, and its environment. */
async function startServersFor(text: string): Promise<NodeJS.ProcessEnv> {
  if (text.includes('POSTGRES_URL')) {
    const server = await PostgresServer.start()
    servers = [server]
    return { POSTGRES_URL: server.url() }
  }
  if (!text.includes('REDIS_URL')) return {}
  const started = text.includes('createCluster') ? await startRedisCluster() : [await RedisServer.start()]
  servers = started
  return { REDIS_URL: started[0]?.url }
}

const programOf = (text: string): DebianProgram | undefined => {
  if (text.includes('POSTGRES_URL')) return postgresProgram
  return text.includes('REDIS_URL') ? redisProgram : undefined
}

describe('the program', () => {
  for (const [name, { text }] of programs) {
    const needed = programOf(text)
    const isMissing = needed !== undefined && !existsSync(needed.path) && process.env.CI !== 'true'
    const run = isMissing ? test.skip : test
    run(`${name} runs as the page says${isMissing ? ` (apt-get install ${needed.aptPackage})` : ''}`, async () => {
      const drive = examples[name]
      if (drive === undefined)
        throw new Error(`packages/pages/src/examples.ts does not say how to drive the example ${name}`)
      const env = await startServersFor(text)
      await drive(await start(name, env), (more, packages) => start(name, { ...env, ...more }, packages))
    })
  }
})

describe('the script', () => {
  test.each([...scripts.keys()])('%s passes', async (name) => {
    expect(await runScript(name)).toMatch(/^# pass [1-9].*^# fail 0$/ms)
  })
})

describe('the console lines', () => {
  test.each(consoles)('work on a page of %s', async (name, block) => {
    const expected = consoleLogs[name] ?? []
    expect(await (await start(name)).console(block.text, expected.length)).toEqual(expected)
  })
})

describe('Express renders a refusal', () => {
  const bodyIn = async (mode: string) => {
    const program = await start('express-chat', { NODE_ENV: mode })
    return (await program.connect('/chat/lobby', { origin: 'https://evil.example' })).body
  }

  test('in production with only the name of the status', async () => {
    expect(await bodyIn('production')).toContain('<pre>Forbidden</pre>')
    await running[0]?.printed('HandshakeError [HANDSHAKE_ORIGIN]: Origin')
  })

  test('in development with the message', async () => {
    expect(await bodyIn('development')).toContain(
      '<pre>HandshakeError: Origin &quot;https://evil.example&quot; is not allowed here.</pre>'
    )
  })

  test('without printing it in tests', async () => {
    await bodyIn('test')
    await running[0]?.printed('oneport: HANDSHAKE_ORIGIN')
    expect(running[0]?.output).not.toContain('HandshakeError')
  })
})

const hasCurl = spawnSync('curl', ['--version']).status === 0
if (!hasCurl && process.env.CI === 'true') throw new Error('curl is not installed: apt-get install curl')

describe('the command', () => {
  const known = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).scripts as Record<string, string>
  const commands = blocks
    .filter(({ language, label }) => language === 'sh' && label === undefined)
    .flatMap((block) =>
      block.text
        .trim()
        .split('\n')
        .map((line): [string, Block] => [line, block])
    )

  const isInstall = ([line]: [string, Block]): boolean => line.startsWith('npm install ')

  test.each(commands.filter((command) => !isInstall(command)))('%s is a script of package.json', (line) => {
    const [, script = ''] = /^npm (?:run )?([a-z:]+)(?: [a-z-]+)?(?: -- .+)?$/.exec(line) ?? []
    expect(Object.keys(known)).toContain(script)
  })

  const own = JSON.parse(readFileSync(join(root, 'packages/pages/package.json'), 'utf8')).devDependencies as object

  for (const [line] of commands.filter(isInstall)) {
    test(`${line} installs packages that the examples use`, () => {
      const names = line
        .split(' ')
        .slice(2)
        .map((word) => word.replace(/^\.\.\/oneport\/tarballs\/oneport-(.+)\.tgz$/, '@oneport/$1'))
      expect(names.filter((name) => name !== '--save-dev' && !(name in own))).toEqual([])
    })
  }

  for (const { name, block, shown } of sessions) {
    const run = hasCurl ? test : test.skip
    run(`at ${block.page} prints what the page says${hasCurl ? '' : ' (apt-get install curl)'}`, async () => {
      expect(block.text).toMatch(/^curl -i http:\/\/localhost:3000\//)
      const program = await start(name)
      const output = await runShell(block.text, program.port)
      for (const { label, text } of shown) {
        const lines = atPort(text, program.port).trim().split('\n')
        if (label?.startsWith('log: ')) await program.printed(lines.join('\n'))
        // The page may leave lines out, but must keep the order.
        else expect(output.split('\n').filter((line) => lines.includes(line))).toEqual(lines)
      }
    })
  }
})

describe('the change', () => {
  test.each(labelled('change'))('shows what is new in %s', (name, { text }) => {
    const program = programs.get(name)?.text.split('\n')
    for (const line of text.trim().split('\n')) {
      if (line.startsWith('-')) expect(program).not.toContain(line.slice(1))
      else expect(program).toContain(line.slice(1))
    }
  })
})

describe('the copy of', () => {
  test.each(labelled('file'))('%s matches the file', (path, block) => {
    expect(block.text).toBe(readFileSync(join(root, path), 'utf8'))
  })

  test.each(labelled('part of'))('a part of %s matches the file', (path, block) => {
    const withoutSpaces = (text: string): string => text.replace(/\s+/g, ' ').trim()
    const lines = readFileSync(join(root, path), 'utf8').split('\n').map(withoutSpaces)
    for (const line of block.text.trim().split('\n')) expect(lines).toContain(withoutSpaces(line))
  })

  test.each(labelled('instead of'))('the replacement for "%s" refers to a line of the file above it', (line, block) => {
    const file = labelled('file').find(([, { page }]) => page === block.page)?.[0] ?? ''
    expect(readFileSync(join(root, file), 'utf8')).toContain(line)
  })
})
