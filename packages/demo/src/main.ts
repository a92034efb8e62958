import type { Address, Running } from './address.ts'
import { type Arguments, readArguments, usage } from './arguments.ts'
import { makeCertificate } from './certificate.ts'
import { startExpress } from './express.ts'
import { startFastify } from './fastify.ts'
import { joinRedis } from './redis.ts'

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
function urlOf(scheme: 'http' | 'https', host: string, port: number): string {
  const isLocal = ['127.0.0.1', '0.0.0.0', '::', '::1', 'localhost'].includes(host)
  return `${scheme}://${isLocal ? 'localhost' : host.includes(':') ? `[${host}]` : host}:${port}`
}

const warning =
  'Your browser will warn of the certificate: it was made just now and is self-signed. Go on all the same.\n'

const aboutRedis =
  'What is said goes to all processes with this Redis; people, rooms and history are those of this one.\n'

/** What to know of `--https`, by framework. */
const aboutTls = {
  Express: `Express cannot serve HTTP/2; this is HTTP/1.1 over TLS.\n${warning}`,
  Fastify: `The page and its WebSockets share one connection of HTTP/2.\n${warning}`
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
  const { framework, host, https, port, redis } = given
  try {
    const address: Address = {
      host,
      port,
      ...(https && { tls: await makeCertificate() }),
      ...(redis !== undefined && { backplane: joinRedis(redis) })
    }
    const running = await (framework === 'Express' ? startExpress(address) : startFastify(address))
    closeOnSignal(running)
    const url = urlOf(https ? 'https' : 'http', host, running.port)
    process.stdout.write(`Oneport chat on ${url} (${framework}). Ctrl-C ends it.\n`)
    if (https) process.stdout.write(aboutTls[framework])
    if (redis !== undefined) process.stdout.write(aboutRedis)
  } catch (error) {
    fail(whyNotListening(error, given), 1)
  }
}

void main()
