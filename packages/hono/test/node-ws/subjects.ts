import type { Server } from 'node:http'
import * as second from '@hono/node-server'
import { createNodeWebSocket as createOriginal } from '@hono/node-ws'
import { Hono } from 'hono'
import type { UpgradeWebSocket } from 'hono/ws'
import * as first from 'node-server-1'
import { WebSocketServer } from 'ws'
import type { WebSocket } from '../../src/index.ts'
import { attach, createNodeWebSocket, upgradeWebSocket } from '../../src/node-ws/index.ts'

/** An application that can use `upgradeWebSocket`. */
interface Subject {
  readonly app: Hono
  readonly server: Server
  readonly upgradeWebSocket: UpgradeWebSocket<WebSocket, { onError: (error: unknown) => void }>
}

/** The libraries of Hono, and what takes their place. */
export const subjects: readonly [name: string, create: () => Subject][] = [
  [
    '@hono/node-ws',
    () => {
      const app = new Hono()
      const { injectWebSocket, upgradeWebSocket } = createOriginal({ app })
      const server = first.createAdaptorServer({ fetch: app.fetch })
      injectWebSocket(server as Server)
      return { app, server: server as Server, upgradeWebSocket: upgradeWebSocket as never }
    }
  ],
  [
    'createNodeWebSocket() of @oneport/hono/node-ws',
    () => {
      const app = new Hono()
      const { injectWebSocket, upgradeWebSocket } = createNodeWebSocket({ app })
      const server = first.createAdaptorServer({ fetch: app.fetch })
      injectWebSocket(server as Server)
      return { app, server: server as Server, upgradeWebSocket }
    }
  ],
  [
    '@hono/node-server 2',
    () => {
      const app = new Hono()
      const websocket = { server: new WebSocketServer({ noServer: true }) as never }
      const server = second.createAdaptorServer({ fetch: app.fetch, websocket })
      return { app, server: server as Server, upgradeWebSocket: second.upgradeWebSocket as never }
    }
  ],
  [
    'upgradeWebSocket() of @oneport/hono/node-ws',
    () => {
      const app = new Hono()
      const server = second.createAdaptorServer({ fetch: app.fetch })
      attach(server)
      return { app, server: server as Server, upgradeWebSocket }
    }
  ]
]
