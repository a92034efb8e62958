import cluster from 'node:cluster'
import { join } from 'node:path'
import { serveCluster } from '@oneport/topics/cluster'
import type { NodeSettings } from './settings.ts'

/** What the primary tells the stage about the node at a port. */
export type Told = { readonly port: number } & ({ readonly pid: number } | { readonly exited: string })

const tell = (told: Told): void => void process.send?.(told)

/** The primary of `node:cluster`: keeps the history, and forks a node for all settings that the stage sends. */
function main(): void {
  serveCluster({ maxBytes: Infinity })
  process.on('message', (settings: NodeSettings) => {
    const { port } = settings
    cluster.setupPrimary({ exec: join(__dirname, 'node.js'), args: [JSON.stringify(settings)] })
    const worker = cluster.fork()
    worker.on('message', (message: unknown) => {
      if (message === 'ready') tell({ port, pid: worker.process.pid ?? 0 })
    })
    worker.on('exit', (code, signal) => tell({ port, exited: signal ?? String(code) }))
  })
}

process.once('disconnect', () => process.exit())
main()
