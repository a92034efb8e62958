import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { type AllowedOrigins, type AttachOptions, acceptWebSocket, attach, type Dispatch } from '@oneport/core'
import { certificate, handshake, headArrived, sendRaw, type Target } from '@oneport/test-kit'
import { readPage } from '../src/markdown.ts'

/** The contents of a cell's code spans. */
const spansOf = (cell: string): string[] => [...cell.matchAll(/`([^`]*)`/g)].map(([, code]) => code as string)

/** An entry of a list, as the page writes it. */
function entryOf(code: string): string | RegExp {
  const [, text, source] = /^'(.*)'$|^\/(.*)\/$/.exec(code) ?? []
  if (source !== undefined) return new RegExp(source)
  if (text === undefined) throw new Error(`Not an entry of a list: ${code}`)
  return text
}

const rows = (readPage('docs/origins.md').split('<!-- clients -->\n')[1] as string)
  .split('\n\n', 1)
  .flatMap((table) => table.split('\n').slice(2))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, client = '', sent = '', rule = '']) => {
    const origins = sent === 'an empty field' ? [''] : spansOf(sent).filter((code) => code !== 'Host')
    return { client, origins, rule, entries: spansOf(rule).map(entryOf) }
  })

let servers: Server[] = []

afterEach(async () => {
  for (const server of servers) {
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  }
  servers = []
})

/** A server with an endpoint that uses this rule. */
async function serve(
  tls: boolean,
  allowedOrigins: AllowedOrigins | undefined,
  onRefused: NonNullable<AttachOptions['onRefused']> = () => {}
): Promise<Target> {
  const listener: Dispatch = (req, res) =>
    acceptWebSocket(req, res, { allowedOrigins }, (socket) => void socket.terminate())
  const options: AttachOptions = { onRefused }
  const server = tls ? https.createServer(await certificate(), listener) : createServer(listener)
  attach(server, listener, options)
  servers.push(server)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return { port: (server.address() as AddressInfo).port, tls }
}

const statusOf = async (target: Target, Host: string, Origin: string): Promise<number> =>
  (await sendRaw(target, handshake('/', { Host, Origin }), headArrived)).status

const isPassed = ({ rule }: { rule: string }): boolean => rule === 'the default'

test('the page lists all clients', () => {
  expect(rows.length).toBeGreaterThan(20)
  for (const { origins } of rows) expect(origins).not.toEqual([])
})

describe('by default', () => {
  test.each(rows.filter(isPassed))('$client is allowed', async ({ origins }) => {
    for (const origin of origins) {
      const tls = /^(?:https|wss):/.test(origin)
      const host = origin.replace(/^\w+:\/\//, '')
      expect([origin, await statusOf(await serve(tls, undefined), host, origin)]).toEqual([origin, 101])
      // Starscream and ws4py always send the port.
      const withPort = host.includes(':') ? host : `${host}:443`
      expect([origin, await statusOf(await serve(tls, undefined), withPort, origin)]).toEqual([origin, 101])
      expect([origin, await statusOf(await serve(tls, undefined), 'other.example', origin)]).toEqual([origin, 403])
    }
  })

  test.each(rows.filter((row) => !isPassed(row)))('$client is refused', async ({ origins }) => {
    for (const origin of origins) {
      expect([origin, await statusOf(await serve(true, undefined), 'app.example', origin)]).toEqual([origin, 403])
    }
  })
})

describe('the entry in the last column', () => {
  const listed = rows.filter((row) => !isPassed(row))

  test.each(listed)('allows $client', async ({ origins, entries }) => {
    const target = await serve(true, entries)
    for (const origin of origins) {
      expect([origin, await statusOf(target, 'app.example', origin)]).toEqual([origin, 101])
    }
  })

  test.each(listed)('security: allows no other client: $client', async ({ origins, entries }) => {
    const target = await serve(true, entries)
    const others = ['https://evil.example', 'https://app.example', ...(origins.includes('null') ? [] : ['null'])]
    for (const origin of [
      ...others,
      ...origins.map((one) => `${one}, ${one}`),
      ...origins.map((one) => `${one}evil/x`)
    ]) {
      expect([origin, await statusOf(target, 'app.example', origin)]).toEqual([origin, 403])
    }
  })
})

describe('the log of a refusal', () => {
  test.each(rows.filter((row) => !isPassed(row)))('says what lets in $client', async ({ origins, entries }) => {
    for (const [index, origin] of origins.entries()) {
      const details: (string | undefined)[] = []
      const target = await serve(true, undefined, ({ detail }) => details.push(detail))
      await statusOf(target, 'app.example', origin)
      const entry = entries[index] ?? entries[0]
      const written = typeof entry === 'string' ? `'${entry}'` : String(entry)
      expect(details).toEqual([expect.stringContaining(`allowedOrigins: ['same-origin', ${written}]`)])
    }
  })
})

describe('a regular expression and a function', () => {
  const origins = [...new Set(rows.flatMap((row) => row.origins))].filter((origin) => origin !== 'null')

  test('see each value as it was sent', async () => {
    const seen: string[] = []
    const byFunction = await serve(false, (origin) => seen.push(origin) > 0)
    const byExpression = await serve(false, [/.*/])
    for (const origin of origins) {
      expect([origin, await statusOf(byFunction, 'app.example', origin)]).toEqual([origin, 101])
      expect([origin, await statusOf(byExpression, 'app.example', origin)]).toEqual([origin, 101])
    }
    expect(seen).toEqual(origins)
  })
})

test.each<[rule: string, allowed: AllowedOrigins]>([
  ['any', 'any'],
  ['a function', () => true],
  ['a regular expression', [/.*/s]],
  ['a scheme', ['file://*']],
  ['the empty value', ['']]
])('security: two Origin fields are refused whatever the rule is: %s', async (_rule, allowed) => {
  const target = await serve(false, allowed)
  const fields = { Host: 'app.example', Origin: ['file://', 'file://'] }
  expect((await sendRaw(target, handshake('/', fields), headArrived)).status).toBe(403)
  const empty = { Host: 'app.example', Origin: ['', ''] }
  expect((await sendRaw(target, handshake('/', empty), headArrived)).status).toBe(403)
})
