import type { Address, Running } from './address.ts'
import { type Arguments, readArguments, usage, usualPort } from './arguments.ts'
import { findFreePort, isTaken } from './port.ts'
import { urlsOf } from './urls.ts'

/** Prints a sentence, and sets the exit code. */
function fail(sentence: string, exitCode: number): void {
  process.stderr.write(`${sentence}\n`)
  process.exitCode = exitCode
}

/** Loads only what is asked for: each of these takes up to a tenth of a second. */
async function start({ framework, https, redis }: Arguments, host: string, port: number): Promise<Running> {
  const address: Address = {
    host,
    port,
    ...(https && { tls: await (await import('./certificate.ts')).makeCertificate() }),
    ...(redis !== undefined && { backplanes: (await import('./redis.ts')).joinRedis(redis) })
  }
  try {
    if (framework === 'Express') return await (await import('./express.ts')).startExpress(address)
    return await (await import('./fastify.ts')).startFastify(address)
  } catch (error) {
    // Their connections would keep this process alive.
    await Promise.all(Object.values(address.backplanes ?? {}).map((backplane) => backplane.close()))
    throw error
  }
}

/** Why the demo cannot listen, and on which port it can. */
async function whyNotListening(error: unknown, host: string, port: number): Promise<string> {
  const { code, message } = error as NodeJS.ErrnoException
  if (!isTaken(error)) return `Cannot listen on ${host}, port ${port}: ${message}`
  const [why, next] =
    code === 'EACCES'
      ? ['needs more rights than this process has', usualPort]
      : ['is in use by another program', port + 1]
  const free = await findFreePort(host, next)
  return `Port ${port} ${why}.${free === undefined ? '' : ` Port ${free} is free: npm start -- --port ${free}`}`
}

const warning =
  'Your browser will warn you: the certificate was made just now and is self-signed. You can safely continue.\n'

const aboutRedis = 'Every process with this Redis shares the chat. Each keeps its own history.\n'

/** What to know about `--https`, by framework. */
const aboutTls = {
  Express: `Express cannot serve HTTP/2; this is HTTP/1.1 over TLS.\n${warning}`,
  Fastify: `The page and its WebSockets share one connection of HTTP/2.\n${warning}`
}

function welcome({ framework, host, https, redis }: Arguments, port: number): string {
  const { first, network } = urlsOf(https ? 'https' : 'http', host, port)
  return [
    `Oneport chat on ${first} (${framework}). Ctrl-C ends it.\n`,
    ...network.map((url) => `On your network: ${url}\n`),
    https ? aboutTls[framework] : '',
    redis === undefined ? '' : aboutRedis
  ].join('')
}

function closeOnSignal(running: Running): void {
  let isClosing = false
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    // Not `once`: Ctrl-C reaches this process from the terminal, and from npm a moment later.
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
  const { host } = given
  let port = given.port ?? usualPort
  try {
    port = given.port ?? (await findFreePort(host, usualPort)) ?? usualPort
    const running = await start(given, host, port)
    closeOnSignal(running)
    if (port !== (given.port ?? usualPort))
      process.stdout.write(`Port ${usualPort} is in use; using ${port} instead.\n`)
    process.stdout.write(welcome(given, running.port))
  } catch (error) {
    fail(await whyNotListening(error, host, port), 1)
  }
}

void main()
