import type { AddressInfo } from 'node:net'
import type { Options } from './application.ts'
import { watchReports } from './books.ts'
import { Planned } from './endpoints.ts'
import { measure, type Question } from './measurement.ts'
import { serveCore } from './serve-core.ts'
import { serveExpress } from './serve-express.ts'
import { serveFastify } from './serve-fastify.ts'
import { serveKoa } from './serve-koa.ts'
import { type Setting, type SettingName, settings } from './settings.ts'
import { watchTimers } from './timers.ts'

/** The servers that can be tested. */
const adapters = { core: serveCore, express: serveExpress, fastify: serveFastify, koa: serveKoa }

export type Adapter = keyof typeof adapters

const options: Omit<Options, 'handshakeTimeoutMs'> = {
  closeTimeoutMs: 3_000,
  onError: (error, { phase }) => {
    // Any output of a server under test counts as a failure.
    if (phase !== 'protocol' && !(error instanceof Planned)) console.error(`fault in ${phase}:`, error)
  },
  onRefused: () => {}
}

/** Runs in its own process, so that a crash shows as an exit: `node server.js <adapter> <setting>`. */
async function main(): Promise<void> {
  watchTimers()
  watchReports()
  const [, , adapter, name] = process.argv as [string, string, Adapter, SettingName]
  const { handshakeTimeoutMs, share }: Setting = settings[name]
  const application = await adapters[adapter]({ ...options, handshakeTimeoutMs })
  share?.(application.server)
  process.on(
    'message',
    (question: Question) => void measure(application, question).then((measurement) => process.send?.(measurement))
  )
  process.on('disconnect', () => process.exit())
  process.send?.((application.server.address() as AddressInfo).port)
}

void main()
