import cluster from 'node:cluster'
import { type Arguments, readArguments, usage, usualPort } from './arguments.ts'
import { chooseFreePort, findFreePort, isTaken } from './port.ts'
import { Processes } from './processes.ts'
import { urlsOf } from './urls.ts'
import { work } from './worker.ts'

/** Prints a sentence, and sets the exit code. */
function fail(sentence: string, exitCode: number): void {
  process.stderr.write(`${sentence}\n`)
  process.exitCode = exitCode
}

const said = new Set<string>()

/** Prints a sentence to stderr, unless it was printed before: several processes may say the same. */
function say(sentence: string): void {
  if (!said.has(sentence)) process.stderr.write(`${sentence}\n`)
  said.add(sentence)
}

async function prepare({ framework, https, redis }: Arguments, host: string, port: number): Promise<Processes> {
  // Loaded only if it is asked for: it takes up to a tenth of a second.
  const tls = https ? await (await import('./certificate.ts')).makeCertificate() : undefined
  return new Processes(__filename, { framework, host, port, redis, ...(tls && { tls }) }, say)
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

const aboutRedis = 'Every process with this Redis shares the chat and its history.\n'

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

function closeOnSignal(processes: Processes): void {
  let isClosing = false
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    // Not `once`: Ctrl-C reaches this process from the terminal, and from npm a moment later.
    process.on(signal, () => {
      if (!isClosing) processes.close()
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
    // All processes listen on the same one, also those that are started later.
    if (port === 0) port = await chooseFreePort(host)
    const processes = await prepare(given, host, port)
    closeOnSignal(processes)
    if (!(await processes.start())) return
    if (given.port === undefined && port !== usualPort)
      process.stdout.write(`Port ${usualPort} is in use; using ${port} instead.\n`)
    process.stdout.write(welcome(given, port))
  } catch (error) {
    fail(await whyNotListening(error, host, port), 1)
  }
}

if (cluster.isPrimary) void main()
else work()
