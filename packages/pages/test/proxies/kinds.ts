import { type ChildProcess, execFile } from 'node:child_process'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

/** What a test fills in in a page's configuration. */
export interface Site {
  /** A folder for the proxy, with `app.crt`, `app.key`, and both in `app.pem`. */
  readonly folder: string
  readonly plainPort: number
  readonly tlsPort: number
}

/** A proxy with a page in docs/deploy. */
export interface ProxyKind {
  readonly name: string
  /** The program, and its Debian package. */
  readonly program: string
  readonly page: string
  /** The file that the page shows. */
  readonly file: string
  /** The line of the file that forwards all paths to the application. */
  readonly everyPath: string
  /** The text that names the application's address. */
  readonly upstream: string
  /** Adapts the file to a test: ports, certificate, and the rest of the proxy's setup. */
  fit(config: string, site: Site): string
  args(config: string, site: Site): string[]
  /**
   * What the proxy prints when it accepts connections, and what it prints once only the new configuration is in use.
   */
  readonly started: string
  readonly reloaded: string
  /** Resolves when the proxy handles signals, if that is later. */
  settled?(site: Site): Promise<void>
  reload(child: ChildProcess, config: string, site: Site): unknown
}

/** Replaces a text. Throws if it is missing. */
export function swap(text: string, from: string, to: string): string {
  if (!text.includes(from)) throw new Error(`${JSON.stringify(from)} is not in the configuration:\n${text}`)
  return text.replace(from, () => to)
}

const swapAll = (text: string, pairs: [from: string, to: string][]): string =>
  pairs.reduce((swapped, [from, to]) => swap(swapped, from, to), text)

/** Debian installs nginx and HAProxy outside a user's PATH; Caddy keeps files in the user's home. */
export const environment = (home: string): NodeJS.ProcessEnv => ({
  PATH: `${process.env.PATH}:/usr/sbin`,
  HOME: home,
  XDG_CONFIG_HOME: home,
  XDG_DATA_HOME: home
})

export const nginx: ProxyKind = {
  name: 'nginx',
  program: 'nginx',
  page: 'docs/deploy/nginx.md',
  file: 'docs/deploy/nginx.conf',
  everyPath: 'location / { proxy_pass http://app; }',
  upstream: 'server 127.0.0.1:3000;',
  fit: (config, { folder, plainPort, tlsPort }) => {
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder};`)
    const server = swapAll(config, [
      ['listen 80;', `listen 127.0.0.1:${plainPort};`],
      ['listen 443 ssl;', `listen 127.0.0.1:${tlsPort} ssl;`],
      ['/etc/ssl/app.example.crt', `${folder}/app.crt`],
      ['/etc/ssl/app.example.key', `${folder}/app.key`]
    ])
    return `daemon off; pid ${folder}/pid; error_log stderr notice; events {}
http { access_log off; ${temporary.join(' ')}\n${server}}`
  },
  args: (config) => ['-e', 'stderr', '-c', config],
  started: 'start worker process ',
  reloaded: 'gracefully shutting down',
  // The signal that `nginx -s reload` sends.
  reload: (child) => child.kill('SIGHUP')
}

export const haproxy: ProxyKind = {
  name: 'HAProxy',
  program: 'haproxy',
  page: 'docs/deploy/haproxy.md',
  file: 'docs/deploy/haproxy.cfg',
  everyPath: 'default_backend app',
  upstream: 'server app 127.0.0.1:3000',
  fit: (config, { folder, plainPort, tlsPort }) =>
    swapAll(config, [
      ['bind :80', `bind 127.0.0.1:${plainPort}`],
      ['bind :443', `bind 127.0.0.1:${tlsPort}`],
      ['/etc/haproxy/app.example.pem', `${folder}/app.pem`]
    ]),
  args: (config, { folder }) => ['-W', '-S', `${folder}/master.sock`, '-f', config],
  started: 'Loading success.',
  reloaded: 'Proxy web stopped',
  // After that line the master process executes itself again, and loses signals that arrive in the meantime.
  settled: async ({ folder }) => {
    while (!(await answers(`${folder}/master.sock`))) await sleep(10)
  },
  // The signal that `systemctl reload haproxy` sends.
  reload: (child) => child.kill('SIGUSR2')
}

/** Whether HAProxy's master process answers commands. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => socket.write('show version\n'))
    socket.once('data', () => socket.destroy())
    socket.once('close', () => resolve(socket.bytesRead > 0)).on('error', () => {})
  })
}

export const caddy: ProxyKind = {
  name: 'Caddy',
  program: 'caddy',
  page: 'docs/deploy/caddy.md',
  file: 'docs/deploy/Caddyfile',
  everyPath: 'reverse_proxy 127.0.0.1:3000',
  upstream: '127.0.0.1:3000',
  // The file uses the standard ports, and certificates that Caddy would get from the Internet.
  fit: (config, { folder, plainPort, tlsPort }) =>
    [
      `{\nadmin unix/${folder}/admin.sock\nauto_https disable_redirects\ndefault_bind 127.0.0.1\n}`,
      swap(config, 'app.example {', `http://:${plainPort} {`),
      swap(config, 'app.example {', `https://:${tlsPort} {\ntls ${folder}/app.crt ${folder}/app.key`)
    ].join('\n'),
  args: (config) => ['run', '--adapter', 'caddyfile', '--config', config],
  started: 'serving initial configuration',
  reloaded: 'load complete',
  reload: (_child, config, { folder }) => {
    const args = ['reload', '--adapter', 'caddyfile', '--config', config, '--address', `unix/${folder}/admin.sock`]
    return promisify(execFile)('caddy', args, { env: environment(folder) })
  }
}
