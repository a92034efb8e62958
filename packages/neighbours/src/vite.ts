// Vite's dev server as middleware, with hot reload on the same server: `node vite.js first|later claims|none <folder>`.
import http from 'node:http'
import { Program } from './program.ts'

async function main(): Promise<void> {
  const { createServer } = await import('vite')
  const program = new Program()
  const server = http.createServer(program.listener)
  program.begin(server)
  const vite = await createServer({
    root: process.argv[4] as string,
    configFile: false,
    logLevel: 'silent',
    appType: 'custom',
    server: { middlewareMode: true, hmr: { server } },
    optimizeDeps: { noDiscovery: true }
  })
  program.others = (req, res) => vite.middlewares(req, res, () => res.writeHead(404).end('not here\n'))
  await program.serve(server, () => vite.close())
}

void main()
