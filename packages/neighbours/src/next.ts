// Next.js with a custom server: `node next.js first|later claims|none <folder> development|production
// implicit|explicit`.
import http from 'node:http'
import next from 'next'
import { Program } from './program.ts'

interface Handlers {
  upgradeHandler(...upgrade: unknown[]): Promise<void>
}

// In development, Next.js asks the registry for its newest version.
globalThis.fetch = () => Promise.reject(new Error('This test has no network.'))

async function main(): Promise<void> {
  const [, , , , dir = '', mode, subscription] = process.argv
  const program = new Program()
  const server = http.createServer(program.listener)
  program.begin(server)
  const app = next({ dev: mode === 'development', dir, hostname: '127.0.0.1', quiet: true })
  await app.prepare()
  // Next.js does not await what it does with a handshake.
  const handlers = (app as unknown as { init: Handlers }).init
  const { upgradeHandler } = handlers
  handlers.upgradeHandler = (...upgrade) => {
    const decision = upgradeHandler(...upgrade)
    program.decides(decision)
    return decision
  }
  if (subscription === 'explicit') {
    const handleUpgrade = app.getUpgradeHandler()
    server.on('upgrade', (...upgrade) =>
      program.decides(handleUpgrade(...(upgrade as Parameters<typeof handleUpgrade>)))
    )
  }
  // It listens for `upgrade` too, from the first request on.
  const handle = app.getRequestHandler()
  program.others = (req, res) => void handle(req, res)
  await program.serve(server)
}

void main()
