import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { everything } from '../src/behaviours.ts'
import { type Framework, frameworks, withAdapter } from '../src/frameworks.ts'
import { type Block, readPage, root } from '../src/markdown.ts'
import { checkTypes, removePrograms, writePrograms } from '../src/program.ts'

jest.setTimeout(60_000)

const page = 'docs/frameworks.md'

/** The cells of the rows behind a header that begins so. */
function tableOf(header: string): string[][] {
  const lines = readPage(page).split('\n')
  const start = lines.findIndex((line) => line.startsWith(`| ${header} |`))
  const end = lines.findIndex((line, index) => index > start && !line.startsWith('|'))
  return lines.slice(start + 2, end).map((line) => line.slice(2, -2).split(' | '))
}

/** What the programs show, which other tests compare with what they do. */
const rowOf = ({ name, page, behaviours, parameters }: Framework): string[] => {
  const { login, cookie, lateField, refusal, drain, testClient } = behaviours
  return [`[${name}](${page})`, login, cookie, lateField, refusal, parameters ?? 'strings', drain, testClient]
}

test('the table has what the programs of the frameworks show', () => {
  expect(tableOf('Framework')).toEqual(Object.values(frameworks).map(rowOf))
})

test('all routes have path parameters', () => {
  const all = Object.values(frameworks).map(({ behaviours }) => behaviours.parameters)
  expect(new Set(all)).toEqual(new Set([everything.parameters]))
})

/** A route of each framework whose types know the parameters. A line that should be an error is marked. */
const routes: Readonly<Record<string, string>> = {
  express: `
import { acceptWebSocket, wsUpgrade } from '@oneport/express'
import express from 'express'
const app = express().use(wsUpgrade())
app.get('/chat/:room', (req, res) =>
  acceptWebSocket(req, res, (socket, { params }) => {
    const room: string = params.room
    // @ts-expect-error
    const other: string = params.other
    socket.send(room + other)
  })
)`,
  fastify: `
import { wsPlugin } from '@oneport/fastify'
import Fastify from 'fastify'
const app = Fastify()
await app.register(wsPlugin)
app.get<{ Params: { room: string } }>('/chat/:room', { websocket: true }, (socket, { params }) => {
  const room: string = params.room
  // @ts-expect-error
  const other: string = params.other
  socket.send(room + other)
})`,
  hono: `
import { acceptWebSocket } from '@oneport/hono'
import { Hono } from 'hono'
new Hono().get('/chat/:room', (c) =>
  acceptWebSocket(c, (socket) => {
    const room: string = c.req.param('room')
    // @ts-expect-error
    const other: string = c.req.param('other')
    socket.send(room + other)
  })
)`,
  'nestjs-express': `
import { Controller, Param, ParseIntPipe } from '@nestjs/common'
import { Socket, type WebSocket, WebSocketRoute } from '@oneport/nestjs'
@Controller()
export class Feed {
  @WebSocketRoute('feed/:id')
  open(@Socket() socket: WebSocket, @Param('id', ParseIntPipe) id: number) {
    // @ts-expect-error
    const text: string = id
    socket.send(text)
  }
}`
}

test('TypeScript knows the path parameters as the table says', async () => {
  const known = Object.entries(withAdapter).filter(([, { parameters }]) => parameters !== undefined)
  expect(Object.keys(routes)).toEqual(known.map(([name]) => name).filter((name) => name !== 'nestjs-fastify'))
  const blocks = Object.entries(routes).map(([name, text]): [string, Block] => [
    `parameters-${name}`,
    { page, line: 1, language: 'ts', label: undefined, text }
  ])
  const programs = new Map(blocks)
  writePrograms(programs)
  try {
    expect(await checkTypes(programs, 'ts')).toBe('')
  } finally {
    removePrograms()
  }
})

/** Lines of code, without comments and empty lines. A folder within `src` is for users of another library. */
function linesOf(name: string): number {
  const src = join(root, 'packages', name, 'src')
  const files = readdirSync(src).filter((file) => file.endsWith('.ts') && file !== 'index.ts')
  return files.reduce((sum, file) => {
    const code = readFileSync(join(src, file), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '')
    return sum + code.split('\n').filter((line) => /\S/.test(line) && !/^\s*\/\//.test(line)).length
  }, 0)
}

test('the table of the adapters has their lines of code, to the nearest ten', () => {
  const names = ['express', 'fastify', 'hono', 'koa', 'nestjs']
  expect(tableOf('Adapter').map(([name, , lines]) => [name, lines])).toEqual(
    names.map((name) => [
      `[\`@oneport/${name}\`](../packages/${name}/README.md)`,
      String(Math.round(linesOf(name) / 10) * 10)
    ])
  )
})
