import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls'
import { type Certificate, makeCertificate } from '../../packages/demo/src/certificate.ts'
import { Clone } from './clone.ts'

jest.setTimeout(60_000)

/** Nothing listens there. */
const closed = 'http://127.0.0.1:9'

let clone: Clone
let server: Server | TlsServer | undefined

beforeAll(() => {
  clone = new Clone()
})

afterEach(() => server?.close())

afterAll(() => clone.remove())

/** A registry, or a proxy, that answers every request with this status and an empty body. */
async function answer(status: string, tls?: Certificate): Promise<string> {
  const onConnection = (socket: Socket): void => {
    socket
      .on('error', () => {})
      .once('data', () => socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`))
  }
  server = tls === undefined ? createServer(onConnection) : createTlsServer(tls, onConnection)
  await once(server.on('tlsClientError', () => {}).listen(0, '127.0.0.1'), 'listening')
  return `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function fail(env: NodeJS.ProcessEnv): Promise<string[]> {
  const newUser = { ...clone.newUser, npm_config_fetch_retries: '0' }
  const run = clone.run(process.execPath, ['scripts/start.mjs'], { ...newUser, ...env })
  expect(await run.ended).toBe(1)
  expect(run.lines[0]).toMatch(/^Installing what the demo needs:/)
  return run.err.split('\n')
}

it('says that the registry cannot be reached', async () => {
  const lines = await fail({ npm_config_registry: closed })
  expect(lines).toContain('  npm error code ECONNREFUSED')
  expect(lines.slice(-3)).toEqual([
    `${closed} cannot be reached. This machine is offline, or its network has a proxy.`,
    'Needed: Access to the registry, for this installation only. Behind a proxy: npm config set https-proxy http://HOST:PORT',
    ''
  ])
})

it('says that the proxy cannot be reached, without its password', async () => {
  const lines = await fail({ HTTPS_PROXY: closed.replace('//', '//ada:secret@') })
  expect(lines).toContain('  npm error code ECONNREFUSED')
  expect(lines.slice(-3)).toEqual([
    `The proxy ${closed} cannot be reached.`,
    'Needed: A proxy that answers: HTTPS_PROXY=http://HOST:PORT',
    ''
  ])
  expect(lines.join()).not.toContain('secret')
})

it('says that the proxy asks for a password', async () => {
  const proxy = await answer('407 Proxy Authentication Required')
  expect((await fail({ npm_config_https_proxy: proxy })).slice(-3)).toEqual([
    `The proxy ${proxy} asks for a name and a password.`,
    'Needed: Both in its address: npm config set https-proxy http://NAME:PASSWORD@HOST:PORT',
    ''
  ])
})

it('says that the certificate is not trusted', async () => {
  const registry = await answer('200 OK', await makeCertificate())
  expect((await fail({ npm_config_registry: registry })).slice(-3)).toEqual([
    `This machine does not trust the certificate of ${registry}. Usually that is a proxy which inspects traffic.`,
    'Needed: The certificate of its authority, as a PEM file: npm config set cafile FILE',
    ''
  ])
})

it('says that the registry does not have a package', async () => {
  const registry = await answer('404 Not Found')
  expect((await fail({ npm_config_registry: registry })).slice(-3)).toEqual([
    `The registry ${registry} does not have a package, or does not give it to you.`,
    'Needed: A registry with everything that npm has: npm config set registry https://registry.npmjs.org/',
    ''
  ])
})

it.each(['start.mjs', 'setup.mjs'])('says which Node %s needs', async (script) => {
  const old = "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '18.20.4' } })"
  const run = clone.run(process.execPath, ['--import', `data:text/javascript,${old}`, `scripts/${script}`])
  expect(await run.ended).toBe(1)
  expect([run.out, run.err.split('\n')]).toEqual([
    '',
    [
      `Oneport needs Node 20 or later. This is Node 18.20.4, at ${process.execPath}.`,
      expect.stringContaining('https://nodejs.org'),
      ''
    ]
  ])
})
