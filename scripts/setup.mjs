/** `npm run setup`: installs everything for building and testing. */
import { isNodeNewEnough } from './node-version.mjs'

async function setUp() {
  const { installEverything } = await import('./install/install.mjs')
  await installEverything()
}

// No top-level `await`: an old Node has to be able to parse this file.
if (isNodeNewEnough()) void setUp()
