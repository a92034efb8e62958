// Starts the application, and nginx in front of it. nginx needs no root here, and writes into a temporary folder only.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { server, stop } from './server.js'

const port = Number(process.env.PORT ?? 3000)
if (!server.listening) await once(server, 'listening')

const folder = mkdtempSync(join(tmpdir(), 'oneport-nginx-'))
// Started by root, its workers are another user.
chmodSync(folder, 0o755)

const site = readFileSync(new URL('app.conf', import.meta.url), 'utf8')
  .replace('listen 80;', `listen 127.0.0.1:${port}; listen [::1]:${port};`)
  .replace('127.0.0.1:3001', `127.0.0.1:${server.address().port}`)
const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
const config = `
daemon off;
pid nginx.pid;
error_log stderr;
events {}
http {
access_log off;
${temporary.map((name) => `${name}_temp_path ${name};`).join('\n')}
${site}
}`
writeFileSync(join(folder, 'nginx.conf'), config)

// Debian keeps nginx where only root looks for programs.
const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/usr/local/sbin` }
// Detached: a Ctrl+C in the terminal must not reach it before the application has closed.
const nginx = spawn('nginx', ['-p', folder, '-e', 'stderr', '-c', 'nginx.conf'], {
  env,
  stdio: 'inherit',
  detached: true
})
nginx.once('spawn', () => console.log(`Open http://localhost:${port}/, which nginx serves.`))
nginx.once('error', () => console.error('nginx is not installed: apt-get install nginx, or brew install nginx.'))
nginx.once('close', async (code) => {
  rmSync(folder, { recursive: true })
  process.exitCode = code === 0 ? 0 : 1
  await stop()
})

// The application first: its clients learn that the server goes, and the cut of a proxy would tell them nothing.
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await stop()
    nginx.kill()
  })
}
