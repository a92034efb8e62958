import type { DialectName } from '../generator/dialect.ts'

/** A contender, described without loading it. */
export interface Contender {
  /** The name of its file in this folder, and in `--contender`. */
  readonly name: string
  readonly title: string
  readonly kind: 'ours' | 'peer' | 'floor'
  /** The packages whose versions the page lists. */
  readonly libraries: readonly string[]
  readonly dialect: DialectName
  /** What a reader has to know about how it works. */
  readonly note: string
}

/** In the order of the page. */
export const contenders: readonly Contender[] = [
  {
    name: 'ws',
    title: 'bare ws',
    kind: 'peer',
    libraries: ['ws'],
    dialect: 'websocket',
    note: '`noServer`, and an `upgrade` listener that checks the origin and refuses by hand. The base of all ratios'
  },
  {
    name: 'core',
    title: 'Oneport core',
    kind: 'ours',
    libraries: ['@oneport/core'],
    dialect: 'websocket',
    note: '`attach` and `acceptWebSocket` on `node:http`, with the defaults'
  },
  {
    name: 'express',
    title: 'Oneport for Express',
    kind: 'ours',
    libraries: ['@oneport/express', 'express'],
    dialect: 'websocket',
    note: '`wsUpgrade()` and a route, through the whole middleware chain'
  },
  {
    name: 'fastify',
    title: 'Oneport for Fastify',
    kind: 'ours',
    libraries: ['@oneport/fastify', 'fastify'],
    dialect: 'websocket',
    note: '`wsPlugin` and a `{ websocket: true }` route'
  },
  {
    name: 'express-ws',
    title: 'express-ws',
    kind: 'peer',
    libraries: ['express-ws', 'express'],
    dialect: 'websocket',
    note: '`app.ws()`. Its routes and middleware run after the 101 and cannot refuse, so `verifyClient` of `ws` checks the origin'
  },
  {
    name: 'fastify-websocket',
    title: '@fastify/websocket',
    kind: 'peer',
    libraries: ['@fastify/websocket', 'fastify'],
    dialect: 'websocket',
    note: 'A route with `wsHandler`; its `preValidation` hook checks the origin'
  },
  {
    name: 'crossws',
    title: 'crossws',
    kind: 'peer',
    libraries: ['crossws'],
    dialect: 'websocket',
    note: 'Its Node.js adapter, which has its own copy of `ws`; the `upgrade` hook checks the origin'
  },
  {
    name: 'socket-io',
    title: 'socket.io',
    kind: 'peer',
    libraries: ['socket.io'],
    dialect: 'socket.io',
    note: 'Its own protocol over its WebSocket transport: a connection is open when the namespace has answered, and a message is an event in JSON. `allowRequest` checks the origin and refuses with 400; `ws` accepts the first subprotocol'
  },
  {
    name: 'http-101',
    title: 'floor: http, 101 by hand',
    kind: 'floor',
    libraries: [],
    dialect: 'websocket',
    note: '`node:http` and a loop that unmasks frames and sends them back. It checks almost nothing; no library can be this small'
  },
  {
    name: 'net',
    title: 'floor: net alone',
    kind: 'floor',
    libraries: [],
    dialect: 'websocket',
    note: 'The same on TCP, without an HTTP parser'
  }
]

/** Servers whose clients come back and get what they have missed. */
export const resumers: readonly Contender[] = [
  {
    name: 'resume-socket-io',
    title: 'socket.io',
    kind: 'peer',
    libraries: ['socket.io', '@socket.io/redis-streams-adapter'],
    dialect: 'socket.io',
    note: '`connectionStateRecovery`, and its adapter for Redis streams where a store is shared'
  },
  {
    name: 'resume-topics',
    title: 'Oneport topics',
    kind: 'ours',
    libraries: ['@oneport/core', '@oneport/topics', '@oneport/redis'],
    dialect: 'oneport.topics',
    note: '`topics.serve` with a history, and `redisBackplane` where a store is shared'
  }
]

/** Adapters for other frameworks. Only their handshakes are measured, so that a whole run does not take longer. */
const otherFrameworks: readonly Contender[] = [
  {
    name: 'hono',
    title: 'Oneport for Hono',
    kind: 'ours',
    libraries: ['@oneport/hono', 'hono', '@hono/node-server'],
    dialect: 'websocket',
    note: 'A route with `webSocket()`, behind `attach`'
  },
  {
    name: 'hono-node-ws',
    title: '@hono/node-ws',
    kind: 'peer',
    libraries: ['@hono/node-ws', 'hono', '@hono/node-server'],
    dialect: 'websocket',
    note: 'A route with `upgradeWebSocket()`; middleware checks the origin. It calls a message handler with an event instead of the socket’s own'
  },
  {
    name: 'koa',
    title: 'Oneport for Koa',
    kind: 'ours',
    libraries: ['@oneport/koa', 'koa'],
    dialect: 'websocket',
    note: '`wsUpgrade()`, and a middleware that accepts'
  },
  {
    name: 'koa-easy-ws',
    title: 'koa-easy-ws',
    kind: 'peer',
    libraries: ['koa-easy-ws', 'koa'],
    dialect: 'websocket',
    note: 'A middleware that calls `ctx.ws()`, after it has checked the origin'
  },
  {
    name: 'nestjs',
    title: 'Oneport for NestJS',
    kind: 'ours',
    libraries: ['@oneport/nestjs', '@nestjs/core', '@nestjs/platform-express'],
    dialect: 'websocket',
    note: 'A method with `@WebSocketRoute()`, on Express'
  },
  {
    name: 'nestjs-platform-ws',
    title: '@nestjs/platform-ws',
    kind: 'peer',
    libraries: ['@nestjs/platform-ws', '@nestjs/core', '@nestjs/platform-express'],
    dialect: 'websocket',
    note: 'A gateway, on Express; `verifyClient` of `ws` checks the origin, and no guard, pipe or middleware runs'
  }
]

/** All whose handshakes are measured. */
export const handshakers: readonly Contender[] = [
  ...contenders.filter(({ kind }) => kind !== 'floor'),
  ...otherFrameworks,
  ...contenders.filter(({ kind }) => kind === 'floor')
]

/** Servers without WebSockets, as a base for the HTTP tax. */
export const plainServers: readonly Contender[] = [
  ['plain-http', 'node:http alone'],
  ['plain-express', 'Express alone'],
  ['plain-fastify', 'Fastify alone']
].map(([name = '', title = '']) => ({ name, title, kind: 'floor', libraries: [], dialect: 'websocket', note: '' }))

/** Servers that send to all clients what one client asks for. */
export const broadcasters: readonly Contender[] = [
  {
    name: 'broadcast-ws',
    title: 'bare ws, a loop',
    kind: 'peer',
    libraries: ['ws'],
    dialect: 'websocket',
    note: '`send` for each client'
  },
  {
    name: 'broadcast-topics',
    title: 'Oneport topics',
    kind: 'ours',
    libraries: ['@oneport/topics', 'ws'],
    dialect: 'websocket',
    note: '`publish`, on sockets of bare `ws`'
  },
  {
    name: 'broadcast-topics-history',
    title: 'Oneport topics, with history',
    kind: 'ours',
    libraries: ['@oneport/topics', 'ws'],
    dialect: 'websocket',
    note: 'The same, and topics keep their newest messages'
  },
  {
    name: 'broadcast-crossws',
    title: 'crossws',
    kind: 'peer',
    libraries: ['crossws'],
    dialect: 'websocket',
    note: '`publish` of its adapter for Node.js'
  },
  {
    name: 'broadcast-socket-io',
    title: 'socket.io',
    kind: 'peer',
    libraries: ['socket.io'],
    dialect: 'socket.io',
    note: '`io.emit`, its own protocol over WebSocket'
  }
]
