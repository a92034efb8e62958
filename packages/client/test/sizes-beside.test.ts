import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sizeOf } from './bundled.ts'

// The table of client libraries in docs/comparison.md.

const page = readFileSync(join(__dirname, '../../../docs/comparison.md'), 'utf8')
const ours = join(__dirname, '../dist/index.mjs')

/** What a page imports, by what the table calls it. */
const imports: Readonly<Record<string, string>> = {
  'reconnecting-websocket': `import Socket from 'reconnecting-websocket'; use(Socket)`,
  partysocket: `import { WebSocket } from 'partysocket'; use(WebSocket)`,
  '@oneport/client, the socket': `import { ReconnectingWebSocket } from '${ours}'; use(ReconnectingWebSocket)`,
  '@oneport/client, everything': `import * as all from '${ours}'; use(all)`,
  'socket.io-client': `import { io } from 'socket.io-client'; use(io)`,
  centrifuge: `import { Centrifuge } from 'centrifuge'; use(Centrifuge)`
}

const versionOf = (name: string): string =>
  JSON.parse(readFileSync(join(__dirname, '../node_modules', name, 'package.json'), 'utf8')).version

const rows = [...page.matchAll(/^\| \[?`([^`]+)`\]?\S*( \d\S*)?(, [a-z ]+)? \|.*\| ([\d.]+) kB \|$/gm)].map(
  ([, name = '', version = '', part = '', size]) => ({ name, version: version.trim(), what: name + part, size })
)

test('the sizes of client libraries are those of the page', async () => {
  const measured = await Promise.all(
    Object.entries(imports).map(async ([what, program]) => ({
      what,
      size: ((await sizeOf(program)) / 1_000).toFixed(1)
    }))
  )
  expect(rows.map(({ what, size }) => ({ what, size }))).toEqual(measured)
})

test('the page names the versions that are measured', () => {
  const others = rows.filter(({ name }) => name !== '@oneport/client')
  expect(others).toHaveLength(4)
  expect(others.map(({ version }) => version)).toEqual(others.map(({ name }) => versionOf(name)))
})
