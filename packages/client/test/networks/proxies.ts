import { haproxyProgram, nginxProgram, ProxyServer } from '@oneport/test-kit'

const running = new Set<ProxyServer>()
afterEach(async () => {
  for (const proxy of running) await proxy.stop()
  running.clear()
})

const kept = async (starting: Promise<ProxyServer>): Promise<number> => {
  const proxy = await starting
  running.add(proxy)
  return proxy.port
}

/** A proxy, and how to start it in front of a port. It ends with the test. */
export interface Proxy {
  readonly name: string
  readonly program: typeof nginxProgram
  start(port: number): Promise<number>
}

const nginx = (name: string, lines: string): Proxy => ({
  name,
  program: nginxProgram,
  start: (port) => kept(ProxyServer.startNginx(`${lines}\nlocation / { proxy_pass http://127.0.0.1:${port}; }`))
})

const haproxy = (name: string, lines: string): Proxy => ({
  name,
  program: haproxyProgram,
  start: (port) =>
    kept(ProxyServer.startHaproxy(`${lines}\ndefault_backend app\nbackend app\nserver app 127.0.0.1:${port}`))
})

export const plainNginx: Proxy = nginx('nginx as it is by default', '')

export const bufferingNginx: Proxy = nginx(
  'nginx that buffers all responses',
  'proxy_ignore_headers X-Accel-Buffering;'
)

/** Those that pass on no opening handshake. */
export const withoutUpgrade: readonly Proxy[] = [
  plainNginx,
  haproxy('HAProxy that takes out Upgrade', 'http-request del-header Upgrade'),
  haproxy('HAProxy that refuses WebSockets', 'http-request deny if { req.hdr(Upgrade) -m found }')
]
