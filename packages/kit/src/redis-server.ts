import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from './port.ts'
import type { Program } from './program.ts'

/** Redis, or what the environment has in its place, such as Valkey. */
export const redisProgram: Program = {
  path: process.env.REDIS_SERVER ?? '/usr/bin/redis-server',
  aptPackage: 'redis-server'
}

const slots = 16_384

/** A Redis server for one suite, on a free local port. It writes down its data only if an option says so. */
export class RedisServer {
  readonly port: number
  readonly #folder = mkdtempSync(join(tmpdir(), 'oneport-redis-'))
  readonly #options: readonly string[]
  #child: ChildProcess | undefined

  private constructor(port: number, options: readonly string[]) {
    this.port = port
    this.#options = options
  }

  static async start(...options: string[]): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), options)
    await server.start()
    return server
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  /** Starts the server, again on the same port after `kill()`, or continues it after SIGSTOP. */
  async start(): Promise<void> {
    if (this.#child?.kill('SIGCONT')) return
    mkdirSync(this.#data, { recursive: true })
    const fixed = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', this.#data]
    const child = spawn(redisProgram.path, ['--port', String(this.port), ...fixed, ...this.#options], {
      stdio: ['ignore', 'pipe', 'inherit']
    })
    this.#child = child
    let printed = ''
    child.stdout.on('data', (chunk: Buffer) => {
      printed += chunk.toString()
    })
    const ended = once(child, 'exit').then(() => true)
    while (!printed.includes('Ready to accept connections')) {
      if (await Promise.race([ended, once(child.stdout, 'data').then(() => false)])) {
        throw new Error(`${redisProgram.path} exited. It printed: ${printed}`)
      }
    }
  }

  /** Sends a signal that the server survives. */
  tell(signal: NodeJS.Signals): void {
    this.#child?.kill(signal)
  }

  /** Stops it with SIGSTOP. `start()` continues it. */
  pause(): void {
    this.tell('SIGSTOP')
  }

  /** Kills the server. `start()` starts it again. */
  async kill(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }

  /** Kills the server and removes its folder. */
  async stop(): Promise<void> {
    await this.kill()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  /** Copies the data, if it is written at all. */
  save(name = 'copy'): string {
    const copy = join(this.#folder, name)
    rmSync(copy, { recursive: true, force: true })
    cpSync(this.#data, copy, { recursive: true })
    return copy
  }

  /** Puts back what `save()` has copied, while the server is not running. */
  putBack(copy: string): void {
    rmSync(this.#data, { recursive: true })
    cpSync(copy, this.#data, { recursive: true })
  }

  get #data(): string {
    return join(this.#folder, 'data')
  }

  /** Sends one command. @returns the raw reply */
  async command(...words: (string | Buffer)[]): Promise<string> {
    const socket = connect(this.port, '127.0.0.1')
    try {
      socket.write(`*${words.length}\r\n`)
      for (const word of words) {
        socket.write(`$${Buffer.byteLength(word)}\r\n`)
        socket.write(word)
        socket.write('\r\n')
      }
      let reply = ''
      while (!isWhole(reply)) {
        const [chunk] = (await once(socket, 'data')) as [Buffer]
        reply += chunk.toString()
      }
      if (reply.startsWith('-')) throw new Error(reply.trim())
      return reply
    } finally {
      socket.destroy()
    }
  }
}

/** Whether the reply to one of the commands used in tests is complete. */
function isWhole(reply: string): boolean {
  const [, kind, count] = /^([$*])(\d+)\r\n/.exec(reply) ?? []
  if (kind === undefined) return /^[+:-].*\r\n$/.test(reply)
  if (kind === '$') return reply.length >= `$${count}\r\n`.length + Number(count) + 2
  // An array of pairs: the channel takes two lines, the number one.
  return reply.endsWith('\r\n') && reply.split('\r\n').length - 2 >= Number(count) * 1.5
}

interface Joinable {
  readonly server: RedisServer
  readonly busPort: number
}

async function startJoinable(options: readonly string[]): Promise<Joinable> {
  const busPort = await freePort()
  const fixed = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000', '--cluster-port', String(busPort)]
  return { server: await RedisServer.start(...fixed, ...options), busPort }
}

/** A Redis Cluster of three nodes, with sharded pub/sub. */
export async function startRedisCluster(...options: string[]): Promise<RedisServer[]> {
  const servers: RedisServer[] = []
  const bus: number[] = []
  for (let index = 0; index < 3; index++) {
    const { server, busPort } = await startJoinable(options)
    bus.push(busPort)
    servers.push(server)
    const [first, last] = [0, 1].map((next) => Math.floor((slots * (index + next)) / 3) - next) as [number, number]
    await server.command('CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1))
    await server.command('CLUSTER', 'ADDSLOTSRANGE', String(first), String(last))
  }
  const [inviting, ...others] = servers as [RedisServer, ...RedisServer[]]
  for (const [index, { port }] of others.entries()) {
    await inviting.command('CLUSTER', 'MEET', '127.0.0.1', String(port), String(bus[index + 1]))
  }
  await clusterJoined(servers)
  return servers
}

/** Adds a replica of a master to a cluster, and waits until it has all data. */
export async function addReplica(servers: readonly RedisServer[], master: RedisServer): Promise<RedisServer> {
  const { server, busPort } = await startJoinable([])
  await master.command('CLUSTER', 'MEET', '127.0.0.1', String(server.port), String(busPort))
  const all = [...servers, server]
  await clusterJoined(all)
  const [, id = ''] = (await master.command('CLUSTER', 'MYID')).split('\r\n')
  await server.command('CLUSTER', 'REPLICATE', id)
  while (!(await server.command('INFO', 'replication')).includes('master_link_status:up')) await sleep(20)
  // Its master must know it too, to be replaced by it.
  while (!(await master.command('INFO', 'replication')).includes('state=online')) await sleep(20)
  return server
}

/** Waits until all nodes of a cluster reach each other, at the start or after an outage. */
export async function clusterJoined(servers: readonly RedisServer[]): Promise<void> {
  for (const server of servers) while (!(await isJoined(server, servers.length))) await sleep(20)
}

async function isJoined(server: RedisServer, count: number): Promise<boolean> {
  const info = await server.command('CLUSTER', 'INFO')
  const wanted = ['cluster_state:ok', `cluster_known_nodes:${count}`, `cluster_slots_ok:${slots}`]
  return wanted.every((line) => info.includes(line))
}
