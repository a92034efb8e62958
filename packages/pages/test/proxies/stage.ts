import type { Application, Settings } from './application.ts'
import type { ProxyKind } from './kinds.ts'
import { RunningProxy, type Upstream } from './proxy.ts'

const apps: Application[] = []
const proxies: RunningProxy[] = []

// Applications first: a proxy that ends earlier would close their connections in its own way.
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close()
  for (const proxy of proxies.splice(0)) await proxy.stop()
})

/** Starts a proxy, and waits until it accepts connections. It ends with the test. */
export async function startProxy(kind: ProxyKind, upstream: Upstream, config?: string): Promise<RunningProxy> {
  const proxy = await RunningProxy.start(kind, upstream, config)
  proxies.push(proxy)
  await proxy.listening()
  return proxy
}

/** An application, with the details of the handshakes that it has refused. */
export interface StagedApplication extends Application {
  readonly refusals: readonly string[]
}

/** Starts an application, which ends with the test. By default it trusts the address of the proxy. */
export async function startApp(
  start: (settings: Settings) => Promise<Application>,
  { options, ...settings }: Partial<Settings> = {}
): Promise<StagedApplication> {
  const refusals: string[] = []
  const onRefused: NonNullable<Settings['options']>['onRefused'] = ({ detail = '' }) => refusals.push(detail)
  const app = await start({ trust: '127.0.0.1', ...settings, options: { onRefused, ...options } })
  apps.push(app)
  return { ...app, refusals }
}
