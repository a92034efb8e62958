import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Way } from '@oneport/adapter-testsuite/parts'

/** A client other than `ws`: a program that reads visits, one per line, and prints the result of each. */
export interface OtherClient {
  readonly name: string
  readonly version: Way['version']
  readonly command: readonly [program: string, ...args: string[]]
  /** Whether the client sees the status of a refusal. The WebSocket of browsers does not. */
  readonly seesStatus: boolean
  /** Whether the client can send a message in several frames. */
  readonly sendsFragments: boolean
  readonly isSkipped: boolean
  /** What to install, if the client cannot run here. */
  readonly missing: string | undefined
}

export type Message = { readonly text: string } | { readonly base64: string } | { readonly fragments: string[] }

/** One connection, from handshake to close. */
export interface Visit {
  readonly url: string
  readonly subprotocols: readonly string[]
  /** The client waits for the echo of each before it sends the next. */
  readonly messages: readonly Message[]
  /** Close code and reason. If left out, the client waits for the server to close. */
  readonly close?: readonly [code: number, reason: string]
}

export interface RunningClient {
  visit(visit: Visit): Promise<unknown>
  stop(): Promise<unknown>
}

const node = join(__dirname, 'visit.mjs')
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
// The first version of undici that does not expect a key over HTTP/2: https://github.com/nodejs/undici/pull/5774
const hasUndici8 = major > 22 || (major === 22 && minor >= 19)
const python = '/usr/bin/python3'
const hasPython = spawnSync(python, ['-c', 'import websockets']).status === 0

export const otherClients: readonly OtherClient[] = [
  {
    name: 'WebSocket' in globalThis ? "Node's own WebSocket" : "undici's WebSocket, built into newer versions of Node",
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
    // With CI=true the tests run without it and fail: CI machines must have it.
    isSkipped: !hasPython && process.env.CI !== 'true',
    missing: hasPython ? undefined : 'apt-get install python3-websockets'
  }
]

export function startOtherClient([program, ...args]: OtherClient['command']): RunningClient {
  // The test certificate has no issuer, and Node's own WebSocket has no other way to accept it.
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
      if (done) throw new Error(`${program} exited: ${complaint}`)
      return JSON.parse(value)
    },
    stop: () => {
      child.kill()
      return ended
    }
  }
}
