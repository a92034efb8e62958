import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import type { Reply } from './answers.ts'

/** Whether processes can be pinned to a core here. macOS and Windows have no such command. */
export const canPin: boolean = ['0', '1'].every((core) => spawnSync('taskset', ['-c', core, 'true']).status === 0)

/** A child process that answers questions, one at a time. */
export class Child<Question extends object, Answer> {
  readonly #name: string
  readonly #process: ChildProcess
  #waiting: { resolve(answer: Answer): void; reject(error: Error): void } | undefined

  /**
   * @param script the file that the process runs
   * @param core the core to pin the process to, if the machine supports that; undefined for any
   */
  constructor(name: string, script: string, core: 0 | 1 | undefined, nodeOptions: readonly string[] = []) {
    this.#name = name
    const node = [process.execPath, ...nodeOptions, script]
    const [command, ...args] = canPin && core !== undefined ? ['taskset', '-c', String(core), ...node] : node
    this.#process = spawn(command as string, args, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, NODE_ENV: 'production' }
    })
    this.#process.on('message', (reply: Reply<Answer>) => {
      if ('answer' in reply) this.#waiting?.resolve(reply.answer)
      else this.#waiting?.reject(new Error(`${name}: ${reply.failure}`))
    })
    this.#process.once('exit', (code, signal) => {
      this.#waiting?.reject(new Error(`${name} exited with ${signal ?? code}`))
    })
  }

  ask<Result extends Answer>(question: Question): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve: resolve as (answer: Answer) => void, reject }
      this.#process.send(question, (error) => {
        if (error !== null) reject(new Error(`${this.#name}: ${error.message}`))
      })
    })
  }

  /** Ends the process. Resolves when it has exited. */
  end(): Promise<void> {
    return this.#exitAfter(() => {
      if (this.#process.connected) this.#process.disconnect()
    })
  }

  /** Ends the process as a crash does. */
  kill(): Promise<void> {
    return this.#exitAfter(() => this.#process.kill('SIGKILL'))
  }

  async #exitAfter(act: () => void): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const exited = once(this.#process, 'exit')
    act()
    await exited
  }
}
