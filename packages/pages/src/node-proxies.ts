import type { Program } from './program.ts'

const foreign = 'https://evil.example'

/** Both applications are reached, each by its path. */
async function sharesPaths(program: Program): Promise<void> {
  const [own, other] = [await program.connect('/chat'), await program.connect('/other/chat')]
  expect([await own.next(), await other.next()]).toEqual(['Welcome.', 'Welcome to the other one.'])
  expect(await (await program.fetch('/other/page')).text()).toBe('other /other/page')
  expect((await program.connect('/unknown')).status).toBe(404)
  expect((await program.connect('/chat', { origin: foreign })).status).toBe(403)
}

/** The application behind the proxy hears which host the client meant, and checks the origin against it. */
async function knowsTheHost(program: Program, host: RegExp): Promise<void> {
  const { next } = await program.connect('/chat', { origin: program.origin })
  expect(await next()).toMatch(host)
  expect((await program.connect('/chat', { origin: foreign })).status).toBe(403)
}

/** Drives the examples of docs/node-proxies.md, and of docs/codespaces.md. */
export const nodeProxies: Record<
  string,
  (program: Program, another: (env?: NodeJS.ProcessEnv) => Promise<Program>) => Promise<void>
> = {
  'node-proxy-path': sharesPaths,

  'node-proxy-middleware-path': sharesPaths,

  'node-proxy-fastify-path': async (program) => {
    const own = await program.connect('/chat')
    expect(await own.next()).toBe('Welcome.')
    const options = { origin: foreign, headers: { Cookie: 'login=ada' } }
    const other = await program.connect('/other/chat', options)
    expect(await other.next()).toBe(`${foreign}, localhost:${program.port}, login=ada`)
    expect(await (await program.connect('/other/chat')).next()).toBe(`undefined, localhost:${program.port}, `)
    expect(await (await program.fetch('/other/page')).text()).toBe('other /page')
    expect((await program.connect('/unknown')).status).toBe(404)
    expect((await program.connect('/chat', { origin: foreign })).status).toBe(403)
  },

  'node-proxy-fastify-in-front': async (program) => {
    const { next } = await program.connect('/chat', { origin: program.origin })
    expect(await next()).toBe(`Welcome, localhost:${program.port}.`)
    const refused = await program.connect('/chat', { origin: foreign })
    expect([refused.status, (await refused.closed).code]).toEqual([101, 1011])
  },

  'node-proxy-in-front': async (program) => {
    const { next } = await program.connect('/chat', { origin: program.origin, family: 4, localAddress: '127.0.0.2' })
    expect(await next()).toMatch(/^Welcome, (?:::ffff:)?127\.0\.0\.2\.$/)
    expect((await program.connect('/chat', { origin: foreign })).status).toBe(403)
    const { status, body } = await program.connect('/news')
    expect([status, body]).toEqual([401, 'Log in first.'])
  },

  'node-proxy-change-origin': async (program) => {
    const own = new RegExp(`^Welcome, localhost:(?!${program.port}\\b)\\d+\\.$`)
    await knowsTheHost(program, own)
  },

  'node-proxy-middleware-change-origin': async (program) => {
    const own = new RegExp(`^Welcome, localhost:(?!${program.port}\\b)\\d+\\.$`)
    await knowsTheHost(program, own)
  },

  codespaces: async (program, another) => {
    const options = { headers: { 'X-Forwarded-Host': 'name-3000.app.github.dev', 'X-Forwarded-Proto': 'https' } }
    const elsewhere = await program.connect('/chat', { ...options, origin: program.origin })
    expect(elsewhere.status).toBe(403)
    const inCodespace = await another({ CODESPACES: 'true' })
    const { next } = await inCodespace.connect('/chat', { ...options, origin: inCodespace.origin })
    expect(await next()).toBe('Welcome.')
    expect((await inCodespace.connect('/chat', { ...options, origin: 'https://evil.example' })).status).toBe(403)
  }
}
