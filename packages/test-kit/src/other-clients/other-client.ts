import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Way } from '@oneport/adapter-testsuite/parts'

/** A client that is not `ws`: a program that reads visits, one a line, and prints how each one went. */
export interface OtherClient {
  readonly name: string
  readonly version: Way['version']
  readonly command: readonly [program: string, ...args: string[]]
  /** Whether it tells the status of a refusal; the WebSocket of browsers does not. */
  readonly seesStatus: boolean
  /** Whether it can send a message in several frames. */
  readonly sendsFragments: boolean
  readonly isSkipped: boolean
  /** What it takes to run it, where that is not there. */
  readonly missing: string | undefined
}

export type Message = { readonly text: string } | { readonly base64: string } | { readonly fragments: string[] }

/** One connection of a client, from its handshake to its end. */
export interface Visit {
  readonly url: string
  readonly subprotocols: readonly string[]
  /** Each waits for the echo of the one before. */
  readonly messages: readonly Message[]
  /** Close code and reason; without them the client waits for the server to close. */
  readonly close?: readonly [code: number, reason: string]
}

export interface RunningClient {
  visit(visit: Visit): Promise<unknown>
  stop(): Promise<unknown>
}

const node = join(__dirname, 'visit.mjs')
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
// The first version of undici that does not ask for a key over HTTP/2: https://github.com/nodejs/undici/pull/5774
const hasUndici8 = major > 22 || (major === 22 && minor >= 19)
const python = '/usr/bin/python3'
const hasPython = spawnSync(python, ['-c', 'import websockets']).status === 0

export const otherClients: readonly OtherClient[] = [
  {
    name: 'WebSocket' in globalThis ? "Node's own WebSocket" : "undici's WebSocket, which newer versions of Node bring",
    version: 'HTTP/1.1',
    command: [process.execPath, node],
    seesStatus: false,
    sendsFragments: false,
    isSkipped: false,
    missing: undefined
  },
  {
    name: "undici's WebSocket",
    version: 'HTTP/2',
    command: [process.execPath, node, 'HTTP/2'],
    seesStatus: false,
    sendsFragments: false,
    isSkipped: !hasUndici8,
    missing: hasUndici8 ? undefined : 'needs Node.js 22.19'
  },
  {
    name: "Python's websockets",
    version: 'HTTP/1.1',
    command: [python, join(__dirname, 'visit.py')],
    seesStatus: true,
    sendsFragments: true,
    // With CI=true the tests run, and fail, without it: there it belongs to the machine.
    isSkipped: !hasPython && process.env.CI !== 'true',
    missing: hasPython ? undefined : 'apt-get install python3-websockets'
  }
]

export function startOtherClient([program, ...args]: OtherClient['command']): RunningClient {
  // The certificate of the tests is nobody's, and Node's own WebSocket can be told so in no other way.
  const env = { ...process.env, NODE_TLS_REJECT_UNAUTHORIZED: '0' }
  const child = spawn(program, args, { env, stdio: ['pipe', 'pipe', 'pipe'] })
  let complaint = ''
  child.stderr.on('data', (chunk: Buffer) => {
    complaint += String(chunk)
  })
  child.stdin.on('error', () => {})
  const ended = once(child, 'close').catch((error: Error) => {
    complaint += error.message
  })
  const results = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    visit: async (visit) => {
      child.stdin.write(`${JSON.stringify(visit)}\n`)
      const { done, value } = await results.next()
      if (done) throw new Error(`${program} has ended: ${complaint}`)
      return JSON.parse(value)
    },
    stop: () => {
      child.kill()
      return ended
    }
  }
}
