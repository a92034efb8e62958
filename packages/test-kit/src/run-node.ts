import { type ExecFileException, execFile } from 'node:child_process'

/** How a program exited. */
export interface Ended {
  /** The exit code, or the name of the signal. */
  readonly exitCode: unknown
  /** What it wrote to stdout and stderr. */
  readonly output: string
}

/**
 * Runs Node without the environment variables that Jest sets.
 * @param patienceMs time after which the program is killed, in milliseconds
 */
export function runNode(args: readonly string[], cwd: string, patienceMs: number): Promise<Ended> {
  const { NODE_OPTIONS: _options, NODE_ENV: _test, JEST_WORKER_ID: _worker, ...env } = process.env
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      args,
      { cwd, env: { ...env, NO_COLOR: '1' }, timeout: patienceMs, killSignal: 'SIGKILL', maxBuffer: 16_777_216 },
      (error: ExecFileException | null, stdout, stderr) =>
        resolve({ exitCode: error === null ? 0 : (error.code ?? error.signal), output: stdout + stderr })
    )
  })
}
