import { parseArgs } from 'node:util'

/** What the command line and the environment ask for. */
export interface Arguments {
  readonly framework: 'Express' | 'Fastify'
  readonly help: boolean
  readonly host: string
  readonly https: boolean
  /** Undefined if nobody asked for one: then any will do. */
  readonly port: number | undefined
  /** The URL of a Redis that several processes share. */
  readonly redis: string | undefined
}

/** The port of the demo, if it is free; otherwise the next free one. */
export const usualPort = 3_000

export const usage = `Serves a chat in rooms: pages and WebSockets on one port.

  npm start                    with the Fastify adapter
  npm start -- --express       with the Express adapter
  npm start -- --https         over TLS, and HTTP/2 with Fastify
  npm start -- --redis redis://localhost:6379
                               shares the chat with other processes
  npm start -- --port 8080     on this port only (or set PORT);
                               by default on ${usualPort} or the next free port
  npm start -- --host 0.0.0.0  for other devices in your network too (or set HOST);
                               by default for this machine only
  npm start -- --help          prints this (or -h)
`

const options = {
  express: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  host: { type: 'string' },
  https: { type: 'boolean' },
  port: { type: 'string' },
  redis: { type: 'string' }
} as const

/**
 * Reads the arguments that follow the script's name.
 * @throws RangeError with a sentence for whoever typed them
 */
export function readArguments(argv: readonly string[], env: NodeJS.ProcessEnv): Arguments {
  // Not strict: Node's own messages are long and mention things that do not exist here.
  const { tokens, values } = parseArgs({ args: [...argv], options, strict: false, tokens: true })
  for (const token of tokens) {
    if (token.kind === 'option' && Object.hasOwn(options, token.name)) continue
    const name = token.kind === 'option' ? token.rawName : token.kind === 'positional' ? token.value : '--'
    throw new RangeError(`Unknown argument '${name}'. To list the known ones: npm start -- --help`)
  }
  const { host = env.HOST || '127.0.0.1', port = env.PORT || undefined } = values
  return {
    framework: values.express ? 'Express' : 'Fastify',
    help: Boolean(values.help),
    host: readHost(host),
    https: Boolean(values.https),
    port: port === undefined ? undefined : readPort(port, 'port' in values ? '--port' : 'PORT'),
    redis: 'redis' in values ? readRedis(values.redis) : undefined
  }
}

function readHost(value: string | boolean): string {
  if (typeof value === 'string' && value !== '') return value
  throw new RangeError(`--host takes an address such as 0.0.0.0; got ${show(value)}.`)
}

function readRedis(value: string | boolean | undefined): string {
  if (typeof value === 'string' && /^rediss?:\/\//.test(value) && URL.canParse(value)) return value
  throw new RangeError(`--redis takes a URL such as redis://localhost:6379; got ${show(value)}.`)
}

function readPort(value: string | boolean, name: string): number {
  if (typeof value === 'string' && /^\d{1,5}$/.test(value) && Number(value) < 65_536) return Number(value)
  throw new RangeError(`${name} takes a number from 0 to 65535; got ${show(value)}.`)
}

const show = (value: unknown): string => (typeof value === 'string' ? `'${value}'` : 'nothing')
