import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sizeOf } from './bundled.ts'

const page = readFileSync(join(__dirname, '../../../docs/moving-from-reconnecting-websocket.md'), 'utf8')
const entry = JSON.stringify(join(__dirname, '../dist/index.mjs'))

test('the socket is at most 2.7 kB', async () => {
  const size = await sizeOf(`import { ReconnectingWebSocket } from ${entry}; globalThis.x = ReconnectingWebSocket`)
  expect(size).toBeLessThanOrEqual(2_700)
})

test('the socket and topics are at most 10 kB', async () => {
  const size = await sizeOf(`import * as client from ${entry}; globalThis.x = client`)
  expect(size).toBeLessThanOrEqual(10_000)
})

test('the sizes beside others are those of the page', async () => {
  const sizes = await Promise.all(
    ['reconnecting-websocket', 'partysocket/ws', entry.slice(1, -1)].map((name) =>
      sizeOf(`import * as all from '${name}'; globalThis.x = all.ReconnectingWebSocket ?? all.default`)
    )
  )
  const [, ...onPage] = /they are ([\d.]+) kB, ([\d.]+) kB and ([\d.]+) kB/.exec(page) ?? []
  expect(onPage).toEqual(sizes.map((size) => (size / 1_000).toFixed(1)))
})

test('nothing is left of what is not used', async () => {
  // An empty program has the 20 bytes of gzip.
  expect(await sizeOf(`import ${entry}`)).toBeLessThan(60)
  expect(
    await sizeOf(`import { ReconnectingWebSocket } from ${entry}; if (false) new ReconnectingWebSocket('')`)
  ).toBeLessThan(60)
})
