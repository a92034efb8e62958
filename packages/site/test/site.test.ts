import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, posix } from 'node:path'
import { createInterface } from 'node:readline'
import { chromium, describeWith, exportsOf, runNode, startChromium } from '@oneport/test-kit'
import type { Browser, Page } from 'playwright-core'
import { anchorsOf } from '../../pages/src/markdown.ts'

const root = join(__dirname, '../../..')
const base = '/somewhere/'
const folder = mkdtempSync(join(tmpdir(), 'oneport-site-'))
const { repository } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

jest.setTimeout(60_000)

let docs: ChildProcess
/** The address of the site that is served. */
let address: string

beforeAll(async () => {
  const args = ['scripts/docs.mjs', '--open', '--base', '/somewhere', '--out', folder]
  docs = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  const printed: string[] = []
  for await (const line of createInterface({ input: docs.stdout as NodeJS.ReadableStream })) {
    printed.push(line)
    if (line.startsWith('http://')) break
  }
  address = printed.at(-1) ?? ''
}, 300_000)

afterAll(() => {
  docs?.kill()
  rmSync(folder, { recursive: true })
})

/** The pages of the site, as paths below its base: `start`, `deploy/nginx`, and `` for the home page. */
const places = (): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => file.endsWith('.html') && file !== '404.html')
    .map((file) => file.replace(/(?:index)?\.html$/, ''))

const htmlOf = (place: string): string =>
  readFileSync(join(folder, /(?:^|\/)$/.test(place) ? `${place}index.html` : `${place}.html`), 'utf8')

const attributes = (html: string, name: string): string[] =>
  [...html.matchAll(new RegExp(` ${name}="([^"]*)"`, 'g'))].map(([, value = '']) => value.replaceAll('&amp;', '&'))

const linksOn = (html: string): string[] => [...html.matchAll(/<a [^>]*>/g)].flatMap(([tag]) => attributes(tag, 'href'))

/** Where a page of docs is on the site. */
const placeOf = (file: string): string =>
  file
    .replace(/^docs\//, '')
    .replace(/(^|\/)README\.md$/, '$1')
    .replace(/\.md$/, '')

describe('the site', () => {
  test('has every page of docs, and the sidebar has every page of the site', () => {
    const files = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).filter((file) =>
      /\.md$/.test(file)
    )
    const found = places()
    expect(files.map((file) => placeOf(file.replaceAll('\\', '/'))).filter((place) => !found.includes(place))).toEqual(
      []
    )

    const [sidebar = ''] = /<aside class="VPSidebar".*?<\/aside>/s.exec(htmlOf('start')) ?? []
    const listed = linksOn(sidebar).map((link) => link.slice(base.length))
    expect(found.filter((place) => place !== '' && !listed.includes(place))).toEqual([])
  })

  test('has links that lead somewhere, each to a heading that is there', () => {
    const found = new Map(places().map((place) => [place, new Set(attributes(htmlOf(place), 'id'))]))
    const broken = [...found.keys()].flatMap((place) =>
      linksOn(htmlOf(place))
        .filter((link) => {
          const { hash, host, pathname } = new URL(link, `https://site.example${base}${place}`)
          if (host !== 'site.example') return !/^https?:\/\/[\w.-]+(?:\/|$)/.test(link)
          const ids = found.get(decodeURI(pathname.slice(base.length)))
          return ids === undefined || (hash !== '' && !ids.has(decodeURIComponent(hash.slice(1))))
        })
        .map((link) => `${place}: ${link}`)
    )
    expect(broken).toEqual([])
  })

  test('leads to the repository for files that are no pages', () => {
    const inRepository = places()
      .flatMap((place) => linksOn(htmlOf(place)))
      .filter((link) => /^\/(?:blob|tree)\/main\//.test(link.slice(repository.url.length)))
    expect(inRepository.length).toBeGreaterThan(5)
    const files = inRepository.map((link) => link.slice(`${repository.url}/blob/main/`.length).split('#')[0] as string)
    expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([])
  })

  test('has the anchors that GitHub has', () => {
    const files = places().filter((place) => existsSync(join(root, 'docs', `${place}.md`)))
    expect(files.length).toBeGreaterThan(20)
    const missing = files.flatMap((place) => {
      const ids = attributes(htmlOf(place), 'id')
      return anchorsOf(`docs/${place}.md`)
        .filter((anchor) => !ids.includes(anchor))
        .map((anchor) => `${place}#${anchor}`)
    })
    expect(missing).toEqual([])
  })

  test('loads nothing from another host', () => {
    const foreign = places().flatMap((place) => {
      const tags = [...htmlOf(place).matchAll(/<(?:audio|embed|iframe|img|link|object|script|source|video) [^>]*>/g)]
      const targets = tags.flatMap(([tag]) => [...attributes(tag, 'src'), ...attributes(tag, 'href')])
      return targets.filter((target) => !target.startsWith(base) && !target.startsWith('data:'))
    })
    const styles = readdirSync(join(folder, 'assets')).filter((file) => file.endsWith('.css'))
    const inStyles = styles.flatMap((file) =>
      [...readFileSync(join(folder, 'assets', file), 'utf8').matchAll(/(?:url\(|@import )["']?([^"')]+)/g)]
        .map(([, target = '']) => target)
        .filter((target) => !target.startsWith(base) && !target.startsWith('data:'))
    )
    expect([...foreign, ...inStyles]).toEqual([])
  })

  test.each(['adapter-testsuite', 'client', 'core', 'express', 'fastify', 'redis', 'testing', 'topics'])(
    'has everything that @oneport/%s exports',
    (name) => {
      const html = htmlOf(`api/${name}`)
      const exported = exportsOf(join(root, 'packages', name, 'src/index.ts')).map((one) => one.replace(/^type /, ''))
      const names = exported.filter((one) => !one.includes(' ')).map((one) => one.toLowerCase())
      expect(names.length).toBeGreaterThan(0)
      const anchors = [...attributes(html, 'id'), ...linksOn(html).map((link) => link.split('#')[1])]
      expect(names.filter((one) => !anchors.includes(one))).toEqual([])
    }
  )

  test('says of a function everything that it throws', () => {
    const [, section = ''] = htmlOf('api/testing').split('id="connect"')
    const [own = ''] = section.split('<h2')
    expect(own.match(/<strong>Throws<\/strong>/g)).toHaveLength(
      readFileSync(join(root, 'packages/testing/src/connect.ts'), 'utf8')
        .split('export async function connect')[0]
        ?.match(/@throws/g)?.length ?? 0
    )
  })

  test('answers what it does not have with its page for that', async () => {
    const response = await fetch(new URL('nowhere', address))
    expect(response.status).toBe(404)
    expect(await response.text()).toContain('<title>404 | Oneport</title>')
    expect((await fetch(new URL('/start', address))).status).toBe(404)
    expect((await fetch(`${address}..%2f..%2fpackage.json`)).status).toBe(404)
  })
})

test('the command says what it takes', async () => {
  const { exitCode, output } = await runNode(['scripts/docs.mjs', '--nonsense'], root, 30_000)
  expect(exitCode).toBe(1)
  expect(output).toMatch(/^Unknown option '--nonsense'[\s\S]*--open/)
})

test('a link to nowhere fails the build', async () => {
  const code = "import('./src/pages.mjs').then(({ linkOn }) => linkOn('docs/start.md', 'nowhere.md'))"
  const { exitCode, output } = await runNode(['-e', code], join(root, 'packages/site'), 30_000)
  expect(exitCode).toBe(1)
  expect(output).toContain('docs/start.md links to nowhere.md, which does not exist')
})

describeWith(chromium, 'the site in Chromium', () => {
  let browser: Browser
  let page: Page
  const problems: string[] = []

  beforeAll(async () => {
    browser = await startChromium()
  })

  beforeEach(async () => {
    page = await browser.newPage()
    page.on('request', (request) => {
      if (!request.url().startsWith(address) && !request.url().startsWith('data:')) problems.push(request.url())
    })
    page.on('pageerror', (error) => problems.push(String(error)))
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) problems.push(message.text())
    })
  })

  afterEach(async () => {
    await page.close()
    // What came from another host would be here too.
    expect(problems.splice(0)).toEqual([])
  })

  afterAll(() => browser?.close())

  test('begins with the picture, and goes on to the first page', async () => {
    await page.goto(address)
    const picture = page.getByRole('img', { name: /request for a WebSocket/ })
    await picture.waitFor()
    expect(await picture.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(0)
    await page.locator('#VPContent').getByRole('link', { name: 'Start', exact: true }).first().click()
    await page.getByRole('heading', { level: 1, name: 'Start' }).waitFor()
    expect(page.url()).toBe(posix.join(address, 'start').replace(':/', '://'))
  })

  test('finds a word in the text of a page, and goes there', async () => {
    await page.goto(address)
    await page.getByRole('button', { name: 'Search' }).click()
    await page.getByRole('searchbox').fill('spreadMs')
    await page.getByRole('option').first().waitFor()
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: 'Shutting down' }).waitFor()
  })

  test('finds a status, and not those that look like it', async () => {
    await page.goto(address)
    await page.getByRole('button', { name: 'Search' }).click()
    await page.getByRole('searchbox').fill('403')
    await page.getByRole('option').filter({ hasText: '403 in production' }).first().waitFor()
    // The marks change until the excerpts have loaded.
    await page.waitForFunction(() => {
      const marks = [...document.querySelectorAll('[role=option] mark')]
      return marks.some((mark) => mark.closest('.excerpt')) && marks.every(({ textContent }) => textContent === '403')
    })
  })

  test.each([
    ['desktop', 1_280, 800],
    ['phone', 390, 844]
  ])('is as wide as a %s', async (_name, width, height) => {
    await page.setViewportSize({ width, height })
    for (const place of ['', 'start', 'api/core', 'benchmarks', 'troubleshooting']) {
      await page.goto(address + place)
      expect([place, await page.evaluate(() => document.documentElement.scrollWidth)]).toEqual([place, width])
    }
  })
})
