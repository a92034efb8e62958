import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { createClient } from 'redis'

/** Whether a Redis server can be started. */
export const hasRedis = (): boolean => spawnSync('redis-server', ['--version']).status === 0

/** A Redis server that reports what it uses. */
export class RedisProcess {
  readonly url: string
  readonly #child: ChildProcess
  readonly #client

  private constructor(url: string, child: ChildProcess) {
    this.url = url
    this.#child = child
    this.#client = createClient({ url })
  }

  /** @throws Error if redis-server is not installed */
  static async start(): Promise<RedisProcess> {
    const port = await freePort()
    const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
    const child = spawn('redis-server', options, { stdio: ['ignore', 'pipe', 'inherit'] })
    const failed = once(child, 'error').then(() => {
      throw new Error('redis-server is not installed: apt-get install redis-server')
    })
    let printed = ''
    child.stdout.on('data', (chunk: Buffer) => {
      printed += chunk.toString()
    })
    while (!printed.includes('Ready to accept connections')) await Promise.race([once(child.stdout, 'data'), failed])
    failed.catch(() => {})
    const redis = new RedisProcess(`redis://127.0.0.1:${port}`, child)
    await redis.#client.connect()
    return redis
  }

  /** CPU time since the start, user and system. */
  async cpuMs(): Promise<number> {
    const info = await this.#client.info('cpu')
    return (numberOf(info, 'used_cpu_sys') + numberOf(info, 'used_cpu_user')) * 1_000
  }

  async memoryBytes(): Promise<number> {
    return numberOf(await this.#client.info('memory'), 'used_memory')
  }

  async end(): Promise<void> {
    this.#client.destroy()
    const ended = once(this.#child, 'exit')
    this.#child.kill()
    await ended
  }
}

const numberOf = (info: string, name: string): number => Number(new RegExp(`^${name}:(.*)\r$`, 'm').exec(info)?.[1])

async function freePort(): Promise<number> {
  const server = createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  await once(server.close(), 'close')
  return port
}
