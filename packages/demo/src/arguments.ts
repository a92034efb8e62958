import { parseArgs } from 'node:util'
import type { Address } from './address.ts'

/** What the command line and the environment ask for. */
export interface Arguments extends Address {
  readonly framework: 'Express' | 'Fastify'
  readonly help: boolean
  readonly https: boolean
  /** The URL of a Redis that joins several processes. */
  readonly redis: string | undefined
}

export const usage = `Serves a chat in rooms: pages and WebSockets on one port.

  npm start                    with the Fastify adapter
  npm start -- --express       with the Express adapter
  npm start -- --https         over TLS, and HTTP/2 with Fastify
  npm start -- --redis redis://localhost:6379
                               shares what is said with other processes
  npm start -- --port 8080     on another port (or set PORT; 3000 by default)
  npm start -- --help          prints this

It listens on 127.0.0.1; set HOST to listen elsewhere, for example HOST=0.0.0.0 for a phone in the same network.
`

const options = {
  express: { type: 'boolean' },
  help: { type: 'boolean' },
  https: { type: 'boolean' },
  port: { type: 'string' },
  redis: { type: 'string' }
} as const

/**
 * Reads the arguments after `node main.js`.
 * @throws RangeError with one sentence for the person who typed them
 */
export function readArguments(argv: readonly string[], env: NodeJS.ProcessEnv): Arguments {
  // Not strict: Node's own messages have several sentences and speak of things that do not exist here.
  const { tokens, values } = parseArgs({ args: [...argv], options, strict: false, tokens: true })
  for (const token of tokens) {
    if (token.kind === 'option' && Object.hasOwn(options, token.name)) continue
    const name = token.kind === 'option' ? token.rawName : token.kind === 'positional' ? token.value : '--'
    throw new RangeError(`Unknown argument '${name}'; 'npm start -- --help' lists the known ones.`)
  }
  return {
    framework: values.express ? 'Express' : 'Fastify',
    help: Boolean(values.help),
    host: env.HOST || '127.0.0.1',
    https: Boolean(values.https),
    port: values.port === undefined ? readPort(env.PORT || '3000', 'PORT') : readPort(values.port, '--port'),
    redis: 'redis' in values ? readRedis(values.redis) : undefined
  }
}

function readRedis(value: string | boolean | undefined): string {
  if (typeof value === 'string' && /^rediss?:\/\//.test(value) && URL.canParse(value)) return value
  const came = typeof value === 'string' ? `'${value}'` : 'nothing'
  throw new RangeError(`--redis takes a URL such as redis://localhost:6379; ${came} came.`)
}

function readPort(value: string | boolean, name: string): number {
  if (typeof value === 'string' && /^\d{1,5}$/.test(value) && Number(value) < 65_536) return Number(value)
  const came = typeof value === 'string' ? `'${value}'` : 'nothing'
  throw new RangeError(`${name} takes a number from 0 to 65535; ${came} came.`)
}
