import { readFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { dirname, join } from 'node:path'
import { Duplex } from 'node:stream'
import type * as ws from 'ws'
import { packageOf, standFor, WebSocket } from '../../src/life/ws.ts'

type Ws = Pick<typeof ws, 'WebSocket' | 'WebSocketServer'>

/** `ws` 8.0 does not export its package.json. */
function versionOf(name: string): string {
  const text = readFileSync(join(dirname(require.resolve(name)), 'package.json'), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

/** A socket opened by a version of `ws`, with what was called on it and what it has written. */
class Subject {
  readonly socket: ws.WebSocket & Record<string, unknown>
  readonly options: object
  readonly writes: string[] = []
  readonly isOwnClass: boolean

  constructor({ WebSocket, WebSocketServer }: Ws) {
    class Own extends WebSocket {}
    const server = new WebSocketServer({ noServer: true, perMessageDeflate: true, WebSocket: Own })
    this.options = server.options
    let opened: ws.WebSocket | undefined
    server.handleUpgrade(request('13'), this.#rawSocket(), Buffer.alloc(0), (socket) => {
      opened = socket
    })
    this.socket = opened as unknown as Subject['socket']
    this.isOwnClass = opened instanceof Own
  }

  #rawSocket(): Duplex {
    const write = (chunk: Buffer, _encoding: string, done: () => void) => {
      this.writes.push(chunk.toString('latin1'))
      done()
    }
    return Object.assign(new Duplex({ write, read: () => {} }), { setTimeout: () => {}, setNoDelay: () => {} })
  }

  /** Whether `ws` finds another handler than the one for which a listener was made. */
  get findsHandler(): boolean {
    const [handler, other] = [() => {}, () => {}]
    this.socket.addEventListener('message', handler)
    standFor(this.socket.listeners('message').at(-1) as object, other)
    this.socket.removeEventListener('message', other)
    return this.socket.listenerCount('message') === 0
  }
}

function request(version: string): IncomingMessage {
  const headers = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-key': 'x3JJHMbDL1EzLkh9GBhXDw==',
    'sec-websocket-version': version,
    'sec-websocket-extensions': 'permessage-deflate'
  }
  return { method: 'GET', url: '/', headers } as unknown as IncomingMessage
}

/** The undocumented parts of `ws` that core uses, and the file that uses each. */
const needs: [what: string, by: string, isThere: (subject: Subject) => boolean][] = [
  ['WebSocket#_receiver', 'life/ws.ts', ({ socket }) => isWritable(socket._receiver)],
  ['WebSocket#_sender', 'life/ws.ts', ({ socket }) => typeof socket._sender === 'object'],
  ['Sender#_queue', 'life/ws.ts', ({ socket }) => Array.isArray((socket._sender as { _queue?: unknown })._queue)],
  ['WebSocket#_closeFrameReceived', 'life/ws.ts', ({ socket }) => socket._closeFrameReceived === false],
  ['WebSocket#_closeCode', 'life/ws.ts', ({ socket }) => socket._closeCode === 1006],
  ['WebSocket#emitClose', 'life/ws.ts', ({ socket }) => typeof socket.emitClose === 'function'],
  ['the symbol for the handler of a listener', 'life/ws.ts', ({ findsHandler }) => findsHandler],
  [
    'one write for the 101',
    'life/open-socket.ts',
    ({ writes }) => /^HTTP\/1\.1 101 .*\r\n\r\n$/s.test(writes.join('|'))
  ],
  ['the option WebSocket', 'life/contained-socket.ts', ({ isOwnClass }) => isOwnClass],
  ['the option closeTimeout', 'life/open-socket.ts', ({ options }) => 'closeTimeout' in options],
  ['the option maxFragments', 'life/open-socket.ts', ({ options }) => 'maxFragments' in options],
  ['the option maxBufferedChunks', 'life/open-socket.ts', ({ options }) => 'maxBufferedChunks' in options],
  ['the option maxPendingAutoPongs', 'options/ws.ts', ({ options }) => 'maxPendingAutoPongs' in options]
]

const isWritable = (stream: unknown): boolean => typeof (stream as Duplex | undefined)?.write === 'function'

/** What a version lacks, in sentences. */
function lacksOf(name: string): string[] {
  const subject = new Subject(require(name))
  return needs
    .filter(([, , isThere]) => !isThere(subject))
    .map(([what, by]) => `ws ${versionOf(name)} lacks ${what}, which core/src/${by} uses`)
}

test('the package supports ws from 8.23 on', () => {
  const read = (file: string) => readFileSync(join(__dirname, '../../', file), 'utf8')
  expect(JSON.parse(read('package.json')).dependencies.ws).toBe('catalog:')
  expect(read('../../pnpm-workspace.yaml')).toContain('\n  ws: ^8.23.0\n')
})

describe('the range of ws', () => {
  test.each([
    ['the oldest one', 'ws-8.23', '8.23.0'],
    ['the installed one', 'ws', versionOf('ws')]
  ])('in %s core finds everything that it uses', (_which, name, version) => {
    expect(versionOf(name)).toBe(version)
    expect(lacksOf(name)).toEqual([])
  })

  test('does not begin earlier, because of the limits that core sets', () => {
    expect(lacksOf('ws-8.22')).toEqual([
      'ws 8.22.2 lacks the option maxPendingAutoPongs, which core/src/options/ws.ts uses'
    ])
    expect(lacksOf('ws-8.20')).toEqual([
      'ws 8.20.1 lacks the option maxFragments, which core/src/life/open-socket.ts uses',
      'ws 8.20.1 lacks the option maxBufferedChunks, which core/src/life/open-socket.ts uses',
      'ws 8.20.1 lacks the option maxPendingAutoPongs, which core/src/options/ws.ts uses'
    ])
  })
})

describe('a runtime with a module of its own named ws', () => {
  /** Like Bun's: the names exist, and its `Receiver` is empty. */
  const own = { WebSocket: class {}, WebSocketServer: class {}, Receiver: class {} } as unknown as Ws

  test('gets the installed package', () => {
    expect(packageOf(own).WebSocket).toBe(WebSocket)
  })

  test('says what it needs if it is missing', () => {
    const nothing = Object.assign(() => {}, {
      resolve: () => {
        throw new Error("Cannot find module 'ws/package.json'")
      }
    })
    expect(() => packageOf(own, nothing as never)).toThrow('@oneport/core needs the package ws')
  })
})
