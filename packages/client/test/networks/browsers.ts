import {
  type Browser,
  chromium,
  describeWith,
  firefox,
  type OnlineBrowser,
  openChromium,
  openFirefox,
  openWebKit,
  type Program,
  webkit
} from '@oneport/test-kit'

/** Does something in all browsers, and returns what each of them has returned. */
export type InAll<Each extends Browser = Browser> = <Result>(
  act: (browser: Each) => Promise<Result>
) => Promise<Result[]>

type Kind<Each extends Browser> = readonly [name: string, program: Program, open: () => Promise<Each>]

const online: readonly Kind<OnlineBrowser>[] = [
  ['in Chromium', chromium, openChromium],
  ['in Firefox', firefox, openFirefox]
]
const all: readonly Kind<Browser>[] = [...online, ['in WebKit', webkit, openWebKit]]

/** Tests with all browsers at the same time, as most of them wait. */
export const describeInAll = (name: string, tests: (inAll: InAll) => void): void => describeIn(all, name, tests)

/** As {@link describeInAll}, with those that can lose their network. */
export const describeInOnline = (name: string, tests: (inAll: InAll<OnlineBrowser>) => void): void =>
  describeIn(online, name, tests)

function describeIn<Each extends Browser>(
  kinds: readonly Kind<Each>[],
  name: string,
  tests: (inAll: InAll<Each>) => void
): void {
  const withBrowsers = (): void => {
    let browsers: Each[] = []
    beforeAll(async () => {
      browsers = await Promise.all(kinds.map(([, , open]) => open()))
    })
    afterAll(() => Promise.all(browsers.map((browser) => browser.close())))
    tests((act) => Promise.all(browsers.map(act)))
  }
  describe(
    name,
    kinds.reduceRight(
      (inner, [inBrowser, program]) =>
        () =>
          describeWith(program, inBrowser, inner),
      withBrowsers
    )
  )
}
