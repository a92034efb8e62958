import { join } from 'node:path'
import { root, run } from './tarballs.ts'

// The compiler takes its time if the machine is busy.
jest.setTimeout(180_000)

test('an editor explains every export of the public packages, and every member and overload', async () => {
  await run(process.execPath, [join(root, 'scripts/hover.mjs')])
})
