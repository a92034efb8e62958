/** `npm run setup`: installs everything that building and testing need. */
import { isNodeNewEnough } from './node-version.mjs'

async function setUp() {
  const { installEverything } = await import('./install/install.mjs')
  await installEverything()
}

// No `await` here: an old Node has to be able to read this file.
if (isNodeNewEnough()) void setUp()
