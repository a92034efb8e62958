import { readFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import { join } from 'node:path'
import express from 'express'
import Fastify from 'fastify'
import request from 'supertest'
import {
  type Client,
  type Closed,
  type Connection,
  type ConnectOptions,
  type connect,
  type createNetwork,
  type Direction,
  type expectRefused,
  type Link,
  type Message,
  type Network,
  type Refusal,
  RefusedError,
  type RefuseOptions,
  type Target,
  type WebSocketClass
} from '../src/index.ts'
import type { WebSocket } from '../src/websocket.ts'

/** Compiles only if both types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const same = <A, B>(_yes: Same<A, B>): void => {}

test('everything that can be connected to is a target', () => {
  const targets: Target[] = [
    express(),
    Fastify(),
    Fastify({ http2: true }),
    createServer(),
    https.createServer(),
    http2.createServer(),
    http2.createSecureServer(),
    (_req, res) => res.end(),
    'ws://localhost:3000',
    new URL('ws://localhost:3000')
  ]
  expect(targets).toHaveLength(10)
  // @ts-expect-error a port alone is none
  const port: Target = 3000
  // @ts-expect-error neither is what listens to nothing
  const nothing: Target = {}
  expect([port, nothing]).toEqual([3000, {}])
})

test('options are typed', () => {
  const options: ConnectOptions = {
    headers: { Cookie: 'a=b', 'X-Many': ['1', '2'] },
    origin: 'same-origin',
    subprotocols: ['v1'],
    perMessageDeflate: true,
    http2: false,
    tls: { ca: 'pem', servername: 'localhost' },
    port: true,
    agent: request.agent(express()),
    timeoutMs: Infinity
  }
  // @ts-expect-error the name of an option is checked
  const unknown: ConnectOptions = { cookies: {} }
  // @ts-expect-error subprotocols are a list
  const single: ConnectOptions = { subprotocols: 'v1' }
  // @ts-expect-error an agent has a jar
  const jarless: ConnectOptions = { agent: {} }
  // @ts-expect-error the number of a port is not for you to choose
  const port: ConnectOptions = { port: 3000 }
  expect([options, unknown, single, jarless, port]).toHaveLength(5)
})

test('results are typed', () => {
  const check = async (client: Client): Promise<void> => {
    same<Message, string | Buffer>(true)
    same<ReturnType<typeof connect>, Promise<Client>>(true)
    same<ReturnType<typeof expectRefused>, Promise<Refusal>>(true)
    same<ReturnType<Client['next']>, Promise<Message>>(true)
    same<Client['closed'], Promise<Closed>>(true)
    same<Client['subprotocol'], string | undefined>(true)
    same<Client['socket'], WebSocket>(true)
    same<Client['response']['headers'], IncomingHttpHeaders>(true)
    same<RefusedError['status'], number>(true)
    const { room } = await client.nextJson<{ room: string }>()
    same<typeof room, string>(true)
    const unknown = await client.nextJson()
    same<typeof unknown, unknown>(true)
    for await (const message of client) same<typeof message, Message>(true)
    client.send('text')
    client.send(new Uint8Array())
    // @ts-expect-error values go by sendJson()
    client.send({ a: 1 })
    // @ts-expect-error the answer is there to be read
    client.response.status = 200
  }
  expect(check).toBeInstanceOf(Function)
  expect(RefusedError.prototype).toBeInstanceOf(Error)
})

test('a network is typed', () => {
  const check = async (network: Network, open: typeof connect, create: typeof createNetwork): Promise<void> => {
    same<ReturnType<typeof createNetwork>, Promise<Network>>(true)
    same<ReturnType<Network['next']>, Promise<Connection>>(true)
    same<Network['connections'], Connection[]>(true)
    same<ReturnType<typeof connect>, Promise<Client>>(true)
    const links: Link[] = [network, await network.next()]
    const direction: Direction = 'toServer'
    for (const link of links) link.delay(1, direction)
    network.refuse({ status: 503, times: Infinity } satisfies RefuseOptions)
    const socket = new network.WebSocket('/', ['v1'], { headers: {} })
    same<typeof socket, WebSocket>(true)
    const asInPages = new network.WebSocket('/')
    same<typeof asInPages, InstanceType<typeof globalThis.WebSocket>>(true)
    const asWithWs: WebSocketClass = network.WebSocket
    // Client libraries want one of these.
    const forPages: typeof globalThis.WebSocket = network.WebSocket
    const forLibraries: new (
      url: string,
      protocols?: string | string[]
    ) => { send(data: string): void; close(code?: number, reason?: string): void } = network.WebSocket
    expect([forPages, forLibraries, asWithWs]).toHaveLength(3)
    // @ts-expect-error it has two directions
    network.freeze('up')
    // @ts-expect-error a connection is refused before it exists
    ;(await network.next()).refuse()
    // @ts-expect-error a network leads to no other network
    await create(network)
    await open(network, '/', { timeoutMs: 1 })
  }
  expect(check).toBeInstanceOf(Function)
})

test('the type of a socket is that of core, which this package does without', () => {
  const [own, ofCore] = ['testing', 'core'].map((name) =>
    readFileSync(join(__dirname, '../..', name, 'src/websocket.ts'), 'utf8')
  )
  expect(own).toBe(ofCore)
})
