import {
  type Browser,
  browsers,
  describeWith,
  type OnlineBrowser,
  onlineBrowsers,
  type Program
} from '@oneport/test-kit'

/** Does something in all browsers, and returns what each of them has returned. */
export type InAll<Each extends Browser = Browser> = <Result>(
  act: (browser: Each) => Promise<Result>
) => Promise<Result[]>

type Kind<Each extends Browser> = readonly [name: string, program: Program, open: () => Promise<Each>]

/** Tests with all browsers at the same time, as most of them wait. */
export const describeInAll = (name: string, tests: (inAll: InAll) => void): void => describeIn(browsers, name, tests)

/** As {@link describeInAll}, with those that can lose their network. */
export const describeInOnline = (name: string, tests: (inAll: InAll<OnlineBrowser>) => void): void =>
  describeIn(onlineBrowsers, name, tests)

function describeIn<Each extends Browser>(
  kinds: readonly Kind<Each>[],
  name: string,
  tests: (inAll: InAll<Each>) => void
): void {
  let inAll = (): void => {
    let opened: Each[] = []
    beforeAll(async () => {
      opened = await Promise.all(kinds.map(([, , open]) => open()))
    })
    afterAll(() => Promise.all(opened.map((browser) => browser.close())))
    tests((act) => Promise.all(opened.map(act)))
  }
  // Each has to be there.
  for (const [browserName, program] of kinds) {
    const inner = inAll
    inAll = () => describeWith(program, `in ${browserName}`, inner)
  }
  describe(name, inAll)
}
