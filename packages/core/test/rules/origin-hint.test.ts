import { pages } from '../../src/docs.ts'
import { compileOrigins } from '../../src/rules/origin.ts'
import { originHint, type RefusedOrigin } from '../../src/rules/origin-hint.ts'

type Given = Omit<Partial<RefusedOrigin>, 'effective'> & Partial<RefusedOrigin['effective']>

/** The hint for an origin that the rule refuses at a host. */
function hintFor(origin: string | undefined, host: string | undefined, given: Given = {}): string {
  const { list = ['same-origin'], headers = {}, scheme } = given
  const effective = { host, scheme }
  if (origin !== undefined) expect(compileOrigins(list).allows(origin, effective)).toBe(false)
  return originHint({
    origin,
    list: 'list' in given ? given.list : list,
    effective,
    headers: { host, ...headers },
    trust: () => "app.set('trust proxy', '10.0.0.5')"
  })
}

const allowed = (...entries: string[]) => `allowedOrigins: ['same-origin', ${entries.join(', ')}]`
const ofProxies = /nginx|proxy|X-Forwarded|Host/

describe('a page on this machine', () => {
  test.each([
    ['http://localhost:5173', 'localhost:3000'],
    ['https://localhost:5173', 'localhost:3000'],
    ['http://127.0.0.1:5173', 'localhost:3000'],
    ['http://localhost:5173', '127.0.0.1:3000'],
    ['http://[::1]:5173', 'localhost:3000'],
    ['http://app.localhost:5173', 'localhost:3000'],
    ['http://192.168.1.5:8080', '192.168.1.5:3000'],
    ['http://10.0.2.2:8081', '10.0.2.2:3000'],
    ['http://172.20.10.2:5173', 'localhost:3000'],
    ['http://mac.local:5173', 'mac.local:3000'],
    ['http://localhost:5173', 'localhost'],
    ['http://localhost', 'localhost:3000']
  ])('%s on another port than %s gets the whole option', (origin, host) => {
    expect(hintFor(origin, host)).toBe(
      `The page is on another port, so it has another origin. To allow it: ${allowed(`'${origin}'`)}\n` +
        'If a dev server forwards its WebSockets, have it keep Host instead (Vite: changeOrigin: false)'
    )
  })

  test('gets an option that keeps the listed origins', () => {
    const list = ['same-origin', /https:\/\/pr-\d\.app\.example/, 'https://app.example']
    expect(hintFor('http://localhost:5173', 'localhost:3000', { list })).toContain(
      allowed('/https:\\/\\/pr-\\d\\.app\\.example/', "'https://app.example'", "'http://localhost:5173'")
    )
    expect(hintFor('http://localhost:5173', 'localhost:3000', { list: [] })).toContain(
      "To allow it: allowedOrigins: ['http://localhost:5173']\n"
    )
  })

  test('gets only its own entry if the list is long', () => {
    const list = Array.from({ length: 100 }, (_, index) => `https://app-${index}.example`)
    expect(hintFor('http://localhost:5173', 'localhost:3000', { list })).toContain(
      'To allow it: add "http://localhost:5173" to allowedOrigins\n'
    )
  })

  test.each([
    ['http://127.0.0.1:3000', 'localhost:3000', '127.0.0.1 and localhost'],
    ['http://localhost:3000', '127.0.0.1:3000', 'localhost and 127.0.0.1'],
    ['http://localhost:3000', '[::1]:3000', 'localhost and [::1]'],
    ['http://localhost', '127.0.0.1', 'localhost and 127.0.0.1']
  ])('%s at %s uses another name of this machine', (origin, host, names) => {
    expect(hintFor(origin, host)).toBe(
      `${names} are two origins. Use one of them for both the page and its WebSocket. To allow it: ${allowed(`'${origin}'`)}`
    )
  })

  test.each(['http://localhost:5173', 'https://localhost', 'http://192.168.1.5:5173'])(
    '%s is distinguished from a page of a public server',
    (origin) => {
      expect(hintFor(origin, 'app.example')).toBe(
        "The page is on the visitor's own machine: a dev server, or an app (Capacitor on Android). " +
          `To allow it: ${allowed(`'${origin}'`)}`
      )
    }
  )
})

describe('a proxy', () => {
  const trust = "If it is yours: app.set('trust proxy', '10.0.0.5')"
  const untrusted = (fields: string) =>
    `${fields} of a proxy would make it the same origin, but that proxy is not trusted. ${trust}`

  test.each<[what: string, origin: string, host: string, headers: Record<string, string>, fields: string]>([
    ['its host', 'https://app.example', 'localhost:3000', { 'x-forwarded-host': 'app.example' }, 'X-Forwarded-Host'],
    ['a host and a port', 'http://a.test:81', 'a.test', { 'x-forwarded-host': 'a.test:81' }, 'X-Forwarded-Host'],
    ['the first host', 'https://a.test', 'b:1', { 'x-forwarded-host': 'a.test, c.test' }, 'X-Forwarded-Host'],
    [
      'host and scheme',
      'https://app.example',
      'localhost:3000',
      { 'x-forwarded-host': 'app.example', 'x-forwarded-proto': 'https' },
      'X-Forwarded-Host'
    ]
  ])('that is not trusted with %s is named, and who sent it', (_what, origin, host, headers, fields) => {
    expect(hintFor(origin, host, { headers })).toBe(untrusted(fields))
  })

  test('that is not trusted with the scheme is named, with both fields', () => {
    const plain = { 'x-forwarded-proto': 'http' }
    expect(hintFor('http://app.example', 'app.example', { scheme: 'https', headers: plain })).toBe(
      untrusted('X-Forwarded-Proto')
    )
    const both = { ...plain, 'x-forwarded-host': 'app.example' }
    expect(hintFor('http://app.example', 'b', { scheme: 'https', headers: both })).toBe(
      untrusted('X-Forwarded-Host and X-Forwarded-Proto')
    )
  })

  test('security: is not suggested as trusted if that would not make it the same origin', () => {
    const headers = { 'x-forwarded-host': 'other.example', 'x-forwarded-proto': 'https' }
    expect(hintFor('https://evil.example', 'app.example', { headers })).not.toMatch(ofProxies)
  })

  test.each(['http', 'http, https', 'ws', undefined])(
    'behind the one with TLS overwrites the scheme: %p',
    (forwarded) => {
      const headers = { 'x-forwarded-proto': forwarded }
      const said = forwarded === undefined ? 'nothing' : `"${forwarded.split(',')[0]}"`
      expect(hintFor('https://app.example', 'app.example', { scheme: 'http', headers })).toBe(
        `The page was loaded over https, but X-Forwarded-Proto says ${said}. A proxy behind the one with TLS overwrites it; ` +
          'have it pass the field on (nginx: proxy_set_header X-Forwarded-Proto $http_x_forwarded_proto;)'
      )
    }
  )

  test('is not blamed for a page loaded over http', () => {
    expect(hintFor('http://app.example', 'app.example', { scheme: 'https' })).toBe(
      'The page was loaded over http, the handshake was sent over https. Redirect the page to https. ' +
        `To allow it: ${allowed("'http://app.example'")}`
    )
  })

  test.each<[host: string, origin: string, headers: Record<string, string>]>([
    ['app:3000', 'https://app.example', {}],
    ['backend', 'https://app.example', {}],
    ['app:3000', 'http://localhost:8080', {}],
    ['localhost:3000', 'https://app.example', { 'x-forwarded-for': '203.0.113.7' }],
    ['127.0.0.1:3000', 'https://app.example', { 'x-real-ip': '203.0.113.7' }],
    ['10.1.2.3:3000', 'https://app.example', { via: '1.1 gateway' }],
    ['127.0.0.1:3000', 'https://app.example', { forwarded: 'for=203.0.113.7' }],
    ['127.0.0.1:3000', 'https://app.example', { connection: 'upgrade' }],
    // Regression: these are hosts that browsers use, and the hint said as a fact that a proxy had set them.
    ['localhost:8343', 'https://evil.example', { connection: 'upgrade', 'x-forwarded-proto': 'https' }],
    ['192.168.1.10:8380', 'https://evil.example', { 'x-forwarded-for': '192.168.1.7' }],
    ['intranet', 'https://evil.example', {}]
  ])('may have replaced the host with %s, or else it is a page of another site (%s, %j)', (host, origin, headers) => {
    expect(hintFor(origin, host, { headers })).toBe(
      'A page of another site: this is what the check is for. ' +
        `If it is yours, a proxy may have set Host to "${host}"; have it pass on what the browser sent ` +
        '(nginx: proxy_set_header Host $http_host;)'
    )
  })

  test.each<[origin: string, host: string, field: string, headers: Record<string, string>]>([
    ['https://app.example:8443', 'app.example', 'Host', { 'x-forwarded-for': '203.0.113.7' }],
    ['http://localhost:8380', 'localhost', 'Host', { 'x-forwarded-proto': 'http' }],
    ['https://192.168.1.10:8343', '192.168.1.10', 'Host', { via: '1.1 gateway' }],
    [
      'https://app.example:8443',
      'app.example',
      'X-Forwarded-Host',
      { host: 'app:3000', 'x-forwarded-host': 'app.example' }
    ]
  ])('regression: the hint was about a page on another port, but the proxy sent $host: %s at %s', (...row) => {
    const [origin, host, field, headers] = row
    expect(hintFor(origin, host, { headers })).toBe(
      `A proxy may have taken the port ${origin.split(':')[2]} out of ${field}. Have it keep the port ` +
        `(nginx: proxy_set_header ${field} $http_host; instead of $host). ` +
        `If the page is on another port than this server: ${allowed(`'${origin}'`)}`
    )
  })

  test.each([
    ['https://app.example:8443', 'app.example'],
    ['https://app.example', 'app.example:8443'],
    ['http://app.example:8080', 'app.example:3000']
  ])('may have changed the port: %s at %s', (origin, host) => {
    expect(hintFor(origin, host)).toBe(
      `The page is on another port, so it has another origin. To allow it: ${allowed(`'${origin}'`)}\n` +
        'If a proxy takes the port out of Host, have it keep the port (nginx: $http_host in place of $host)'
    )
  })

  test('that is trusted is not blamed', () => {
    const headers = { host: 'app:3000', 'x-forwarded-host': 'app.example', 'x-forwarded-proto': 'https' }
    expect(hintFor('https://evil.example', 'app.example', { scheme: 'https', headers })).not.toMatch(ofProxies)
  })

  test('does not matter if no entry compares the host', () => {
    const given: Given = { list: ['https://app.example'], headers: { 'x-forwarded-host': 'b.example' } }
    expect(hintFor('https://b.example', 'app:3000', given)).not.toMatch(ofProxies)
  })
})

describe('a client that is not a web page', () => {
  const see = `\nSee ${pages}/origins.md#devices-and-native-shells`
  test.each([
    ['capacitor://localhost', 'Capacitor on iOS', "'capacitor://localhost'"],
    ['ionic://localhost', 'Ionic on iOS', "'ionic://localhost'"],
    ['file://', 'arduinoWebSockets on a device, or a page from a file in Electron', "'file://'"],
    ['null', 'A sandboxed frame or a page from a file; any web page can send null', "'null'"],
    ['', 'A client whose field Origin is empty', "''"],
    ['app://.', 'Electron', "'app://*'"],
    ['app://bundle', 'Electron', "'app://*'"],
    ['tauri://localhost', 'Tauri', "'tauri://localhost'"],
    ['https://tauri.localhost', 'Tauri', "'https://tauri.localhost'"],
    ['chrome-extension://abcdefgh', 'An extension of Chrome', "'chrome-extension://abcdefgh'"],
    ['moz-extension://603715cf-f9f0', 'An extension of Firefox', "'moz-extension://*'"],
    ['http://localhost/', 'A client on golang.org/x/net/websocket', "'http://localhost/'"]
  ])('%j is named, with its entry and its page', (origin, name, entry) => {
    expect(hintFor(origin, 'app.example')).toBe(`${name}. To allow it: ${allowed(entry)}${see}`)
    expect(hintFor(origin, 'localhost:3000')).toBe(`${name}. To allow it: ${allowed(entry)}${see}`)
  })

  test('is an app or an extension if its scheme is unknown', () => {
    expect(hintFor('My-Shell://Main', 'app.example')).toBe(
      `An app or an extension, not a web page. To allow it: ${allowed("'my-shell://main'")}`
    )
  })

  test.each(['https://app.example/path', 'not an origin', 'https://user@app.example'])(
    'may send what no browser does: %s',
    (origin) => {
      expect(hintFor(origin, 'app.example')).toBe('No browser sends this. A regular expression can allow it.')
    }
  )
})

describe('a list', () => {
  test.each([
    ['http://localhost:5174', 'http://localhost:5173'],
    ['http://app.example', 'https://app.example'],
    ['https://app.example', 'https://app.example:8443']
  ])('has an origin like %s, which differs: %s', (origin, entry) => {
    const list = ['same-origin', entry]
    expect(hintFor(origin, 'localhost:3000', { list })).toBe(
      `'${entry}' has another scheme or port. To allow it: ${allowed(`'${entry}'`, `'${origin}'`)}`
    )
  })

  test('without the own origin of the server lacks it', () => {
    expect(hintFor('https://app.example', 'app.example', { list: ['http://localhost:5173'] })).toBe(
      "The page is from this server itself. To allow it: allowedOrigins: ['same-origin', 'http://localhost:5173']"
    )
  })

  test('with a wildcard does not include the name after it', () => {
    expect(hintFor('https://app.example', 'api.example', { list: ['https://*.app.example'] })).toBe(
      "'https://*.app.example' is for the names below app.example. " +
        "To allow it: allowedOrigins: ['https://*.app.example', 'https://app.example']"
    )
  })

  test.each([
    ['https://www.app.example', 'app.example'],
    ['https://app.example', 'www.app.example'],
    ['https://app.example', 'api.app.example:8443']
  ])('lacks a page of the same domain: %s at %s', (origin, host) => {
    const [page, server] = [origin.replace('https://', ''), host.replace(/:\d+$/, '')]
    expect(hintFor(origin, host)).toBe(
      `${page} and ${server} are two origins. If both are yours: ${allowed(`'${origin}'`)}`
    )
  })

  test.each(['https://name-5173.app.github.dev', 'https://5173-name.eu1.gitpod.io', 'https://name.ngrok-free.app'])(
    'lacks a forwarded port: %s',
    (origin) => {
      expect(hintFor(origin, 'localhost:3000')).toBe(
        `Each forwarded port has an origin of its own. To allow it: ${allowed(`'${origin}'`)}`
      )
    }
  )

  test('is a function that decides', () => {
    expect(hintFor('https://a', 'b', { list: undefined })).toBe('The function allowedOrigins returned false.')
  })
})

test.each([
  ['https://evil.example', 'app.example', {}],
  ['https://evil.example', 'localhost:3000', {}],
  ['https://evil.example', '127.0.0.1:3000', { connection: 'Upgrade' }],
  ['https://evil.example', 'app.example', { 'x-forwarded-for': '203.0.113.7', 'x-forwarded-proto': 'https' }],
  ['https://app.example.evil.test', 'app.example', {}],
  ['https://evil-app.example', 'app.example', {}],
  ['https://evil.example', undefined, {}],
  ['https://evil.example', 'not a host', {}]
])('%s at %s is what the check is for, and no proxy is blamed (%j)', (origin, host, headers) => {
  expect(hintFor(origin, host, { headers })).toBe(
    `A page of another site: this is what the check is for. If it is yours: ${pages}/origins.md#a-page-of-your-own-is-refused`
  )
})

test('two origins, and none where one is required, are reported as such', () => {
  expect(hintFor('https://a, https://a', 'a')).toBe(
    'There is more than one Origin. Browsers send one; a proxy may have added another.'
  )
  expect(hintFor(undefined, 'a')).toBe('Browsers always send Origin. Other programs pass with requireOrigin: false.')
})

test('security: is bounded, whatever the client sends', () => {
  const long = 'a'.repeat(60_000)
  for (const origin of [
    `https://${long}`,
    `https://${long.slice(0, 1_000)}`,
    `app://${long}`,
    long,
    `https://b.${long}`
  ]) {
    for (const host of [long, `${long}:1`, `b.${long}`, 'a']) {
      expect(hintFor(origin, host, { headers: { 'x-forwarded-proto': long } }).length).toBeLessThan(4_000)
      expect(hintFor('https://a', 'a', { scheme: 'http', headers: { 'x-forwarded-proto': long } }).length).toBeLessThan(
        500
      )
    }
  }
})
