import type { Address, Running } from './address.ts'
import { type Arguments, readArguments, usage } from './arguments.ts'
import { startExpress } from './express.ts'
import { startFastify } from './fastify.ts'

/** Says one sentence and ends the process once what is under way is done. */
function fail(sentence: string, exitCode: number): void {
  process.stderr.write(`${sentence}\n`)
  process.exitCode = exitCode
}

function whyNotListening(error: unknown, { host, port }: Address): string {
  const { code, message } = error as NodeJS.ErrnoException
  const other = 'choose another one with: npm start -- --port 3001'
  if (code === 'EADDRINUSE') return `Port ${port} is in use by another program; ${other}`
  if (code === 'EACCES') return `Port ${port} needs more rights than this process has; ${other}`
  return `Cannot listen on ${host}, port ${port}: ${message}`
}

/** The URL to open: a server that listens on all addresses is reached by name. */
function urlOf(host: string, port: number): string {
  const isLocal = ['127.0.0.1', '0.0.0.0', '::', '::1', 'localhost'].includes(host)
  return `http://${isLocal ? 'localhost' : host.includes(':') ? `[${host}]` : host}:${port}`
}

function closeOnSignal(running: Running): void {
  let isClosing = false
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    // Not `once`: Ctrl-C reaches this process from the terminal and, a moment later, again from npm.
    process.on(signal, () => {
      if (!isClosing) void running.close()
      isClosing = true
    })
  }
}

async function main(): Promise<void> {
  let given: Arguments
  try {
    given = readArguments(process.argv.slice(2), process.env)
  } catch (error) {
    return fail((error as RangeError).message, 2)
  }
  if (given.help) {
    process.stdout.write(usage)
    return
  }
  const { framework, host } = given
  try {
    const running = await (framework === 'Express' ? startExpress(given) : startFastify(given))
    closeOnSignal(running)
    process.stdout.write(`Oneport chat on ${urlOf(host, running.port)} (${framework}). Ctrl-C ends it.\n`)
  } catch (error) {
    fail(whyNotListening(error, given), 1)
  }
}

void main()
