import { type Browser, chromium, describeWith, firefox, openChromium, openFirefox } from '@oneport/test-kit'

/** Does something in both browsers, and returns what both have returned. */
export type InBoth = <Result>(act: (browser: Browser) => Promise<Result>) => Promise<Result[]>

/** Tests with Chromium and Firefox at the same time, as most of them wait. */
export function describeInBoth(name: string, tests: (inBoth: InBoth) => void): void {
  describeWith(chromium, name, () => {
    describeWith(firefox, 'in Chromium and Firefox', () => {
      let browsers: Browser[] = []
      beforeAll(async () => {
        browsers = await Promise.all([openChromium(), openFirefox()])
      })
      afterAll(() => Promise.all(browsers.map((browser) => browser.close())))
      tests((act) => Promise.all(browsers.map(act)))
    })
  })
}
