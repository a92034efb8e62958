// webpack-dev-server: `node webpack-dev-server.js first|later claims|none <folder>`.
import http, { type RequestListener } from 'node:http'
import { join } from 'node:path'
import webpack from 'webpack'
import WebpackDevServer from 'webpack-dev-server'
import { Program } from './program.ts'

async function main(): Promise<void> {
  const folder = process.argv[4] as string
  const program = new Program()
  const compiler = webpack({
    mode: 'development',
    context: folder,
    entry: './main.js',
    output: { path: join(folder, 'dist') },
    stats: 'none',
    infrastructureLogging: { level: 'none' }
  })
  const options = {
    host: '127.0.0.1',
    port: 0,
    allowedHosts: 'all',
    client: { logging: 'none' },
    setupExitSignals: false,
    server: {
      type: (_options: unknown, app: RequestListener) => {
        const server = http.createServer(program.listener)
        program.others = app
        program.begin(server)
        return server
      }
    }
  }
  const devServer = new WebpackDevServer(options as unknown as WebpackDevServer.Configuration, compiler as never)
  await devServer.start()
  await program.serve(devServer.server as unknown as http.Server, () => devServer.stop())
}

void main()
