import { join } from 'node:path'
import { Child } from '../src/child.ts'
import { churn } from '../src/generator/churn.ts'
import { dialects } from '../src/generator/dialect.ts'
import { beClosed, drop, held, openAndStay } from '../src/generator/held.ts'
import type { ServerAnswer, ServerQuestion } from '../src/server-process.ts'

// Starting a process takes long on a busy machine.
jest.setTimeout(60_000)

const { websocket } = dialects
let server: Child<ServerQuestion, ServerAnswer>
let port: number

beforeEach(async () => {
  // The built file, because the bench runs that one. `npm test` builds before it tests.
  server = new Child('ws', join(__dirname, '../dist/server-process.js'), 0)
  const started = await server.ask({ ask: 'start', contender: 'ws', settings: {}, bufferUtil: false })
  port = started.port as number
  await openAndStay(port, websocket, { count: 20, atOnce: 20 })
})

afterEach(async () => {
  await drop()
  await server.end()
})

test('clients that leave are replaced', async () => {
  const before = new Set(held)
  await churn(port, websocket, { perSecond: 40, seconds: 0.25 })
  expect(held).toHaveLength(20)
  expect(new Set(held).size).toBe(20)
  expect(held.filter((client) => !before.has(client)).length).toBeGreaterThan(0)
})

test('clients count when the server has closed them', async () => {
  const closed = beClosed({ sliceMs: 100 })
  await server.end()
  const { ends } = await closed
  expect(ends.reduce((sum, ended) => sum + ended, 0)).toBe(20)
  expect(held).toEqual([])
})
