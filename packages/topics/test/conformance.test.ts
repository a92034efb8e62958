import { execFile, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { connectClient, type Inbox } from '@oneport/test-kit'
import { Malformed, readRequest } from '../src/serve/requests.ts'
import { type Setting, serveConversations } from './conversations.ts'
import { stopAll } from './pair.ts'

interface Reading {
  readonly text?: string
  readonly hex?: string
  readonly is?: 'ignored' | 'malformed'
  readonly means?: Record<string, unknown>
}

interface Step {
  readonly client?: string
  readonly sends?: string
  readonly gets?: string
  readonly getsInAnyOrder?: readonly string[]
  readonly closes?: number
  readonly leaves?: true
  readonly publishes?: string
  readonly topic?: string
}

interface Conversation extends Setting {
  readonly steps: readonly Step[]
}

const file = join(__dirname, '../conformance.json')
const { subprotocol, requests, conversations } = JSON.parse(readFileSync(file, 'utf8')) as {
  readonly subprotocol: string
  readonly requests: readonly Reading[]
  readonly conversations: readonly Conversation[]
}

describe('reads', () => {
  test.each(requests.map((reading) => [reading.text ?? reading.hex, reading] as const))('%j', (_given, reading) => {
    const { text, hex = '', is, means } = reading
    const read = () => readRequest(text === undefined ? Buffer.from(hex, 'hex') : Buffer.from(text))
    if (is === 'malformed') {
      expect(read).toThrow(Malformed)
      return
    }
    const request: Record<string, unknown> = { ...read() }
    if (request.topic === '') delete request.topic
    if (request.kind === 'subscribe') request.since ??= null
    const { payload } = request
    if (Buffer.isBuffer(payload)) {
      delete request.payload
      Object.assign(
        request,
        text === undefined ? { payloadHex: payload.toString('hex') } : { payload: String(payload) }
      )
    }
    expect(request).toEqual(is === 'ignored' ? {} : means)
  })
})

describe('converses', () => {
  afterEach(stopAll)

  test.each(conversations)('$name', async ({ name, steps }) => {
    const port = await serveConversations(conversations, subprotocol)
    const conversation = `/${encodeURIComponent(name)}`
    const clients = new Map<string, Inbox>()
    const closed = new Map<Inbox, Promise<[code: number]>>()
    const values = new Map<string, string>()
    const filled = (text: string): string => text.replace(/\$\w+/g, (variable) => values.get(variable) ?? variable)

    const clientOf = async (id: string): Promise<Inbox> => {
      const known = clients.get(id)
      if (known !== undefined) return known
      const client = await connectClient({ port }, `${conversation}?as=${id}`, [subprotocol])
      closed.set(client, once(client.socket, 'close') as Promise<[number]>)
      clients.set(id, client)
      return client
    }

    /** Compares an answer, and remembers the values of variables. */
    const compare = (got: string, wanted: string): void => {
      const [gotFields, wantedFields] = [got.split(' '), wanted.split(' ')]
      for (const [index, field] of wantedFields.entries()) {
        const value = gotFields[index]
        if (field.startsWith('$') && !values.has(field) && value !== undefined) values.set(field, value)
      }
      expect(got).toBe(filled(wanted))
    }

    for (const step of steps) {
      if (step.publishes !== undefined) {
        const url = `http://127.0.0.1:${port}${conversation}?topic=${step.topic}`
        await fetch(url, { method: 'POST', body: step.publishes })
      }
      if (step.client === undefined) continue
      const client = await clientOf(step.client)
      if (step.sends !== undefined) client.socket.send(filled(step.sends))
      if (step.gets !== undefined) compare(String(await client.next()), step.gets)
      if (step.getsInAnyOrder !== undefined) {
        const got: string[] = []
        for (const _ of step.getsInAnyOrder) got.push(String(await client.next()))
        expect(got.sort()).toEqual([...step.getsInAnyOrder].sort())
      }
      if (step.closes !== undefined) expect((await closed.get(client))?.[0]).toBe(step.closes)
      if (step.leaves) {
        client.socket.close()
        await closed.get(client)
      }
    }
  })
})

const python = '/usr/bin/python3'
const hasPython = spawnSync(python, ['-c', 'import websockets']).status === 0 || process.env.CI !== undefined

;(hasPython ? test : test.skip)('a client in Python passes (it needs python3-websockets)', async () => {
  const port = await serveConversations(conversations, subprotocol)
  try {
    const program = join(__dirname, 'client.py')
    const { stdout } = await promisify(execFile)(python, [program, file, `http://127.0.0.1:${port}`])
    const passed = ['requests and answers', ...conversations.map(({ name }) => name)]
    expect(stdout.trim().split('\n')).toEqual(passed.map((name) => `passed: ${name}`))
  } finally {
    await stopAll()
  }
})
