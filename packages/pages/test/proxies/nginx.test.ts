import { applications } from './application.ts'
import { lookFor } from './installed.ts'
import { nginx, swap } from './kinds.ts'
import { configOf } from './proxy.ts'
import { startApp, startProxy } from './stage.ts'
import { originAt, statusOf } from './visitor.ts'

// Starting a proxy takes long on a busy machine.
jest.setTimeout(30_000)

const { hint, isInstalled } = lookFor('nginx', 'nginx')
const describeEach = isInstalled ? describe.each : describe.skip.each

/** The page's configuration without the lines that begin with these words. */
const configWithout = (...directives: string[]): string =>
  directives.reduce((config, directive) => config.replace(new RegExp(`^ *${directive} .*\n`, 'm'), ''), configOf(nginx))

const host = 'proxy_set_header Host'
const forwardedHost = 'proxy_set_header X-Forwarded-Host'
const forwardedProto = 'proxy_set_header X-Forwarded-Proto'

describeEach(applications)(`nginx without a part of its configuration, in front of %s${hint}`, (_framework, start) => {
  test('causes a 403 for every page if it names itself in Host; the log has the directive that fixes it', async () => {
    const app = await startApp(start)
    const broken = configWithout(host, forwardedHost, forwardedProto)
    const { tls } = await startProxy(nginx, app.port, broken)
    expect(await statusOf(tls, '/chat', { origin: originAt(tls) })).toBe(403)
    const [detail = ''] = app.refusals
    expect(detail).toContain(
      `origin "${originAt(tls)}", effective host "app", scheme unknown, allowed: 'same-origin'\n`
    )

    const [directive = ''] = /proxy_set_header [^;]+;/.exec(detail) ?? []
    const fixed = await startProxy(nginx, app.port, swap(broken, 'location /', `${directive} location /`))
    for (const target of [fixed.plain, fixed.tls]) {
      expect(await statusOf(target, '/chat', { origin: originAt(target) })).toBe(101)
      expect(await statusOf(target, '/chat', { origin: 'https://evil.example' })).toBe(403)
    }
  })

  test('causes a 403 for pages on other ports if it passes on $host, which has no port', async () => {
    const app = await startApp(start)
    const config = configWithout(forwardedHost).replace(/( Host +)\$http_host/, '$1$host')
    const { plain } = await startProxy(nginx, app.port, config)
    expect(await statusOf(plain, '/chat', { origin: originAt(plain) })).toBe(403)
    expect(app.refusals[0]).toContain('effective host "app.example", scheme http')
    expect(app.refusals[0]).toContain('nginx: proxy_set_header Host $http_host; instead of $host')
  })

  test('passes on the X-Forwarded-Host of a client, which the application then believes', async () => {
    const { plain } = await startProxy(nginx, (await startApp(start)).port, configWithout(forwardedHost))
    const fields = { 'X-Forwarded-Host': 'evil.example' }
    expect(await statusOf(plain, '/chat', { origin: 'http://evil.example', fields })).toBe(101)
  })

  test.each([
    ['as ordinary requests', 'Upgrade', 'proxy_set_header Upgrade', 426],
    ['as requests of HTTP/1.0', 'HTTP/1.1', 'proxy_http_version', 405]
  ])('has handshakes answered %s if it does not pass on %s', async (_how, _what, directive, status) => {
    const { plain } = await startProxy(nginx, (await startApp(start)).port, configWithout(directive))
    expect(await statusOf(plain, '/chat')).toBe(status)
  })
})
