import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

const children: ChildProcess[] = []
afterEach(async () => {
  for (const child of children.splice(0)) {
    const ended = once(child, 'close')
    child.kill('SIGKILL')
    await ended
  }
})

/**
 * Runs a program that uses the built package, as a user's would, until the test ends.
 *
 * @returns a function that waits until it has printed a line
 */
export function runProgram(file: string, url: string): (line: string | RegExp) => Promise<void> {
  // Node 20 has a WebSocket only if it is told so.
  const args = ['--experimental-websocket', '--no-warnings', file, url]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  children.push(child)
  let printed = ''
  let errors = ''
  child.stdout.on('data', (chunk) => {
    printed += chunk
    child.emit('printed')
  })
  child.stderr.on('data', (chunk) => {
    errors += chunk
  })
  return async (line) => {
    const isIt = (one: string): boolean => (typeof line === 'string' ? one === line : line.test(one))
    while (!printed.split('\n').some(isIt)) {
      if (child.exitCode !== null) throw new Error(`${file} exited. It printed: ${printed}${errors}`)
      await Promise.race([once(child, 'printed'), once(child, 'close')])
    }
    expect(errors).toBe('')
  }
}
