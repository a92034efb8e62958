import type { ChildProcess } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import type { Told } from '../cluster.ts'
import type { StoreEvent } from '../plan.ts'
import type { NodeSettings } from '../settings.ts'
import { forkProgram, type Node } from './node-process.ts'
import type { Store } from './store.ts'

/** A primary of `node:cluster`, which keeps the history, and nodes that are its workers. */
export class ClusterProcess implements Store {
  readonly urls = []
  readonly #nodes: WorkerNode[] = []
  #child: ChildProcess | undefined

  constructor() {
    this.#start()
  }

  /** A worker, not yet started. */
  nodeOf(settings: NodeSettings): Node {
    const node = new WorkerNode(settings, () => this.#child)
    this.#nodes.push(node)
    return node
  }

  /** Kills the primary with all workers, or hangs it alone. */
  async break({ what }: StoreEvent): Promise<void> {
    if (what === 'hang store') this.#child?.kill('SIGSTOP')
    else await this.stop()
  }

  async repair({ what }: StoreEvent): Promise<void> {
    if (what === 'hang store') {
      this.#child?.kill('SIGCONT')
      return
    }
    this.#start()
    await Promise.all(this.#nodes.map((node) => node.start()))
  }

  async stop(): Promise<void> {
    const child = this.#child
    if (child?.pid === undefined) return
    this.#child = undefined
    const ended = once(child, 'close')
    // The whole process group.
    process.kill(-child.pid, 'SIGKILL')
    await ended
    for (const node of this.#nodes) node.forget()
  }

  /** Starts the primary, in a process group of its own. */
  #start(): void {
    const child = forkProgram('cluster.js', [], { detached: true })
    this.#child = child
    // No worker has pipes of its own.
    const print = (text: string): void => this.#nodes[0]?.print(text)
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => print(chunk.toString()))
    child.on('message', (told: Told) => this.#nodes.find(({ settings }) => settings.port === told.port)?.hear(told))
    child.once('close', (code, signal) => {
      if (this.#child === child) print(`The primary exited with ${code ?? signal}.`)
    })
  }
}

/** A node that is a worker. */
class WorkerNode implements Node {
  output = ''
  readonly settings: NodeSettings
  readonly #primary: () => ChildProcess | undefined
  readonly #events = new EventEmitter()
  #pid: number | undefined
  #isWanted = false
  #running: Promise<void> | undefined

  constructor(settings: NodeSettings, primary: () => ChildProcess | undefined) {
    this.settings = settings
    this.#primary = primary
  }

  /** Does nothing while there is no primary: it starts all its workers. */
  async start(): Promise<void> {
    const primary = this.#primary()
    if (primary === undefined) return
    this.#running ??= this.#begin(primary)
    await this.#running
  }

  async kill(): Promise<void> {
    if (this.#pid === undefined) return
    this.#isWanted = false
    process.kill(this.#pid, 'SIGKILL')
    while (this.#running !== undefined) await once(this.#events, 'news')
  }

  print(text: string): void {
    this.output += text
  }

  hear(told: Told): void {
    if ('pid' in told) {
      this.#pid = told.pid
      this.#events.emit('news')
      return
    }
    if (this.#isWanted) this.print(`The node exited with ${told.exited}.`)
    this.forget()
  }

  /** It has ended. */
  forget(): void {
    this.#pid = undefined
    this.#running = undefined
    this.#events.emit('news')
  }

  async #begin(primary: ChildProcess): Promise<void> {
    this.#isWanted = true
    primary.send(this.settings)
    await once(this.#events, 'news')
    if (this.output !== '') throw new Error(this.output)
  }
}
