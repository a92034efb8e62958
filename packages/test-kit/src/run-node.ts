import { type ExecFileException, execFile } from 'node:child_process'

/** How a program has ended. */
export interface Ended {
  /** Its exit code, or the name of the signal. */
  readonly exitCode: unknown
  /** What it has printed. */
  readonly output: string
}

/**
 * Runs Node without what Jest has set in its environment.
 * @param patienceMs how long it has to end by itself; then it is killed, in milliseconds
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
