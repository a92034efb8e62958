// Two workers that get their connections from the primary, as @socket.io/sticky does it: `node sticky.js first|later`.
import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Attachment, attach } from '@oneport/core'
import { setupMaster, setupWorker } from '@socket.io/sticky'
import { Server as SocketIo } from 'socket.io'
import { Application } from './application.ts'
import type { Command } from './program.ts'

const workers = 2

/** A worker's message to the primary. All others are those of @socket.io/sticky. */
interface Report {
  readonly type: 'ready' | 'done'
}

async function report(worker: Worker, type: Report['type']): Promise<void> {
  for (;;) {
    const [message] = (await once(worker, 'message')) as [Report]
    if (message.type === type) return
  }
}

async function bePrimary(): Promise<void> {
  // Sends the bytes received so far to the worker, along with the socket.
  cluster.setupPrimary({ serialization: 'advanced' })
  const server = http.createServer()
  setupMaster(server, { loadBalancingMethod: 'round-robin' })
  const all = Array.from({ length: workers }, () => cluster.fork())
  await Promise.all(all.map((worker) => report(worker, 'ready')))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  process.on('message', (command: Command) => {
    const done = Promise.all(all.map((worker) => report(worker, 'done')))
    for (const worker of all) worker.send(command)
    void done.then(() => process.send?.(0))
  })
  process.on('disconnect', () => process.exit())
  process.send?.((server.address() as AddressInfo).port)
}

function beWorker(): void {
  const application = new Application()
  const server = http.createServer(application.listener)
  let attachment: Attachment | undefined
  if (process.argv[2] === 'first') attachment = attach(server, application.listener, { onRefused: () => {} })
  const sockets = new SocketIo(server)
  sockets.on('connection', (socket) => socket.on('echo', (data, answer) => answer(data)))
  setupWorker(sockets)
  process.on('message', ({ name }: Command) => {
    if (name === 'drain') void attachment?.drain().then(() => process.send?.({ type: 'done' }))
  })
  process.send?.({ type: 'ready' })
}

if (cluster.isPrimary) void bePrimary()
else beWorker()
