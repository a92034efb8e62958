import cluster, { type Worker } from 'node:cluster'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocketServer } from 'ws'
import { clusterBackplane, serveCluster } from '../../src/cluster.ts'
import { createTopicsAt } from '../../src/topics.ts'

/** Three workers, each with topics at a port of its own, where the path names a client. The test asks the primary to kill and to count. */
function startPrimary(): void {
  const topics = serveCluster({ maxPendingBytes: 4_194_304 })
  const workers = new Map<number, Worker>()
  const fork = (): void => {
    const worker = cluster.fork()
    worker.on('message', (message: { port?: number }) => {
      if (message.port === undefined) return
      workers.set(message.port, worker)
      process.send?.({ port: message.port })
    })
    worker.on('exit', () => process.send?.({ exited: true }))
  }
  for (let count = 0; count < 3; count++) fork()
  process.on('message', ({ kill, pause, resume }: { kill?: number; pause?: number; resume?: number }) => {
    if (kill !== undefined) {
      workers.get(kill)?.process.kill('SIGKILL')
      fork()
    } else if (pause !== undefined) {
      workers.get(pause)?.process.kill('SIGSTOP')
    } else if (resume !== undefined) {
      workers.get(resume)?.process.kill('SIGCONT')
    } else {
      process.send?.({ stats: topics.stats() })
    }
  })
  process.on('disconnect', () => {
    for (const worker of workers.values()) worker.process.kill('SIGKILL')
    process.exit()
  })
}

function startWorker(): void {
  const topics = createTopicsAt(300, { backplane: clusterBackplane(), history: { messages: 10 } })
  const http = createServer()
  const server = new WebSocketServer({ server: http })
  server.on('connection', (socket, { url = '' }) => {
    socket.on('error', () => {})
    const id = url.slice(1)
    const access = { mayRead: () => true, mayPublish: () => true }
    topics.serve(socket, id === '' ? access : { ...access, presence: { id } })
  })
  http.listen({ port: 0, host: '127.0.0.1', exclusive: true }, () => {
    process.send?.({ port: (http.address() as AddressInfo).port })
  })
}

if (cluster.isPrimary) startPrimary()
else startWorker()
