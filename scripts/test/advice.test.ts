import { explain } from '../install/advice.mjs'

const about = { env: {}, issues: 'https://example.org/issues', pnpm: 'pnpm@1.2.3', size: '200 MB' }

/** As npm 11 and pnpm 12 print them. */
it.each([
  [
    'npm error request to https://registry.npmjs.org/pnpm failed, reason: getaddrinfo EAI_AGAIN registry.npmjs.org',
    'https://registry.npmjs.org cannot be reached.'
  ],
  [
    'ERR_PNPM_TARBALL_FETCH_TARBALL: installing dependencies: Failed to fetch https://registry.npmjs.org/ws/-/ws-8.23.0.tgz: error sending request: client error (Connect): dns error: error resolving DNS: failed to lookup address information: Temporary failure in name resolution',
    'https://registry.npmjs.org cannot be reached.'
  ],
  [
    'ERR_PNPM_TARBALL_FETCH_TARBALL: installing dependencies: Failed to fetch https://registry.npmjs.org/ws/-/ws-8.23.0.tgz: error sending request: client error (Connect): tcp connect error: Connection refused (os error 111)',
    'https://registry.npmjs.org cannot be reached.'
  ],
  ['npm error network request to https://registry.npmjs.org/pnpm failed, reason: read ECONNRESET', 'broke off'],
  ['npm error code ENOSPC', 'The disk is full.'],
  ['npm error Error: EACCES: permission denied, mkdir /root/.npm/_cacache', 'cannot be written'],
  ['ERR_PNPM_OUTDATED_LOCKFILE: Cannot install with "frozen-lockfile"', 'pnpm-lock.yaml'],
  ['Segmentation fault', 'An error that this script does not know.']
])('explains %s', (output, found) => {
  expect(explain(output, about).found).toContain(found)
})

it.each([
  ['npm error code ENOSPC', 'About 200 MB of free space.'],
  ['Segmentation fault', 'Another try. If it fails again, please report the lines above: https://example.org/issues'],
  ['ERR_PNPM_OUTDATED_LOCKFILE', 'A new lockfile: npx pnpm@1.2.3 install --no-frozen-lockfile']
])('says what is needed after %s', (output, needed) => {
  expect(explain(output, about).needed).toBe(needed)
})
