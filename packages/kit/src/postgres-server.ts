import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from './port.ts'
import type { Program } from './program.ts'

/** Debian keeps the versions apart, and the programs out of the PATH. */
const root = '/usr/lib/postgresql'

const versions = existsSync(root) ? readdirSync(root).toSorted((one, other) => Number(other) - Number(one)) : []

const programIn = (name: string): string => join(root, versions[0] ?? 'version', 'bin', name)

export const postgresProgram: Program = { path: programIn('postgres'), aptPackage: 'postgresql' }

/** PostgreSQL refuses to run as root. Then it runs as the user of Debian's package. */
function userOfServer(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {}
  const [, uid, gid] = /^postgres:[^:]*:(\d+):(\d+):/m.exec(readFileSync('/etc/passwd', 'utf8')) ?? []
  return { uid: Number(uid), gid: Number(gid) }
}

/** A PostgreSQL server for one suite, on a free local port, with its data in a temporary folder. */
export class PostgresServer {
  port: number
  readonly #folder: string
  readonly #options: readonly string[]
  readonly #user = userOfServer()
  #child: ChildProcess | undefined

  private constructor(port: number, folder: string, options: readonly string[]) {
    this.port = port
    this.#folder = folder
    this.#options = options
  }

  /** Creates a server without data, and starts it. */
  static async start(...options: string[]): Promise<PostgresServer> {
    const server = await PostgresServer.#create(options)
    server.#run(
      'initdb',
      '--pgdata',
      server.#data,
      '--username=postgres',
      '--auth=trust',
      '--encoding=UTF8',
      '--no-sync'
    )
    await server.start()
    return server
  }

  static async #create(options: readonly string[]): Promise<PostgresServer> {
    const server = new PostgresServer(await freePort(), mkdtempSync(join(tmpdir(), 'oneport-postgres-')), options)
    const { uid, gid } = server.#user
    if (uid !== undefined && gid !== undefined) chownSync(server.#folder, uid, gid)
    return server
  }

  /** Of the role `postgres`, which may do everything, or of another one. */
  url(user = 'postgres'): string {
    return `postgresql://${user}@127.0.0.1:${this.port}/postgres`
  }

  /** Starts the server, again on the same port after `kill()`, or continues it after `pause()`. */
  async start(): Promise<void> {
    const pids = this.#pids
    if (pids.length > 0) {
      for (const pid of pids) signal(pid, 'SIGCONT')
      return
    }
    const fixed = [
      'listen_addresses=127.0.0.1',
      `unix_socket_directories=${this.#folder}`,
      'fsync=off',
      'log_checkpoints=off'
    ]
    const options = [...fixed, ...this.#options].flatMap((option) => ['-c', option])
    const child = spawn(postgresProgram.path, ['-D', this.#data, '-p', String(this.port), ...options], {
      ...this.#user,
      cwd: this.#folder,
      stdio: ['ignore', 'ignore', 'pipe']
    })
    this.#child = child
    let printed = ''
    child.stderr.on('data', (chunk: Buffer) => {
      printed = (printed + chunk.toString()).slice(-100_000)
    })
    const ended = once(child, 'exit').then(() => true)
    while (!printed.includes('ready to accept')) {
      if (await Promise.race([ended, once(child.stderr, 'data').then(() => false)])) {
        throw new Error(`postgres exited. It printed: ${printed}`)
      }
    }
  }

  /** Stops all its processes with SIGSTOP. `start()` continues them. */
  pause(): void {
    for (const pid of this.#pids) signal(pid, 'SIGSTOP')
  }

  /** Kills all its processes, so that nothing is written. `start()` starts it again. */
  async kill(): Promise<void> {
    const child = this.#child
    const pids = this.#pids
    this.#child = undefined
    if (child === undefined || pids.length === 0) return
    const ended = once(child, 'exit')
    // The first one is stopped, so that it starts no others meanwhile.
    child.kill('SIGSTOP')
    for (const pid of [...childrenOf(child.pid as number), child.pid as number]) signal(pid, 'SIGKILL')
    await ended
    // Its memory is in use until the last one has ended.
    while (pids.some((pid) => existsSync(`/proc/${pid}`))) await sleep(5)
  }

  /** Kills the server and removes its data. */
  async stop(): Promise<void> {
    await this.kill()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  /** Creates a server that follows this one, asynchronously, and can take its place. */
  async startReplica(): Promise<PostgresServer> {
    const replica = await PostgresServer.#create(this.#options)
    replica.#run(
      'pg_basebackup',
      '--pgdata',
      replica.#data,
      '--dbname',
      this.url(),
      '--write-recovery-conf',
      '--checkpoint=fast',
      '--no-sync'
    )
    await replica.start()
    return replica
  }

  /** Makes a replica a server of its own. */
  promote(): void {
    this.#run('pg_ctl', 'promote', '--pgdata', this.#data, '--wait')
  }

  /** The same, and moves it to the port of the one that it followed, which has to be dead. */
  async takePlaceOf({ port }: PostgresServer): Promise<void> {
    this.promote()
    await this.kill()
    this.port = port
    await this.start()
  }

  /** Copies the data, while the server is not running. */
  save(name = 'copy'): string {
    const copy = join(this.#folder, name)
    rmSync(copy, { recursive: true, force: true })
    this.#run('cp', '-a', this.#data, copy)
    return copy
  }

  /** Puts back what `save()` has copied, while the server is not running. */
  putBack(copy: string): void {
    rmSync(this.#data, { recursive: true })
    this.#run('cp', '-a', copy, this.#data)
  }

  get #data(): string {
    return join(this.#folder, 'data')
  }

  get #pids(): number[] {
    const { pid, exitCode, signalCode } = this.#child ?? {}
    if (pid === undefined || exitCode !== null || signalCode !== null) return []
    return [pid, ...childrenOf(pid)]
  }

  /** Runs a program of PostgreSQL, or of the system. @returns what it prints */
  #run(name: string, ...words: string[]): string {
    const path = existsSync(programIn(name)) ? programIn(name) : name
    return execFileSync(path, words, { ...this.#user, cwd: this.#folder, encoding: 'utf8' })
  }

  /** Runs what `dump()` has returned. */
  load(dump: string): void {
    const file = join(this.#folder, 'dump.sql')
    writeFileSync(file, dump)
    this.#run(
      'psql',
      '--dbname',
      this.url(),
      '--quiet',
      '--set',
      'ON_ERROR_STOP=1',
      '--output',
      '/dev/null',
      '--file',
      file
    )
  }

  /** Writes a schema and its rows as SQL. */
  dump(schema: string): string {
    return this.#run('pg_dump', '--dbname', this.url(), '--schema', schema)
  }
}

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .split(' ')
    .filter((word) => word !== '')
    .map(Number)
}

/** Sends a signal to a process, unless it has ended by itself. */
function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
