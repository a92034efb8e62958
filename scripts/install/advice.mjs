/** Why installations fail, recognized by what npm or pnpm prints. The first match counts. */
const causes = [
  {
    signs: /\b407\b|proxy authentication required/i,
    found: ({ proxy }) => `The proxy ${proxy} asks for a name and a password.`,
    needed: ({ setProxy }) => `Both in its address: ${setProxy('http://NAME:PASSWORD@HOST:PORT')}`
  },
  {
    signs: /SELF_SIGNED|UNABLE_TO_(?:GET_ISSUER|VERIFY)|CERT_HAS_EXPIRED|invalid peer certificate|UnknownIssuer/i,
    found: ({ registry }) =>
      `This machine does not trust the certificate of ${registry}. Usually that is a proxy which inspects traffic.`,
    needed: () => 'The certificate of its authority, as a PEM file: npm config set cafile FILE'
  },
  {
    signs: /EAI_AGAIN|ENOTFOUND|ENETUNREACH|EHOSTUNREACH|ECONNREFUSED|dns error|unreachable|connection refused/i,
    found: ({ proxy, registry }) =>
      proxy === undefined
        ? `${registry} cannot be reached. This machine is offline, or its network has a proxy.`
        : `The proxy ${proxy} cannot be reached.`,
    needed: network
  },
  {
    signs: /ETIMEDOUT|ECONNRESET|EPIPE|timed?[ _-]?out|connection (?:reset|closed)|socket hang up/i,
    found: ({ registry }) => `The connection to ${registry} broke off, or took too long.`,
    needed: network
  },
  {
    signs: /\bE?40[134]\b/,
    found: ({ registry }) => `The registry ${registry} does not have a package, or does not give it to you.`,
    needed: () => 'A registry with everything that npm has: npm config set registry https://registry.npmjs.org/'
  },
  {
    signs: /ENOSPC|no space left/i,
    found: () => 'The disk is full.',
    needed: ({ size }) => `About ${size} of free space.`
  },
  {
    signs: /EACCES|EPERM|EROFS|permission denied|read-only file system/i,
    found: () => 'A file or folder cannot be written; the lines above name it.',
    needed: () => 'Folders that belong to you: this one, and .npm in your home folder.'
  },
  {
    signs: /ERR_PNPM_OUTDATED_LOCKFILE/,
    found: () => 'A package.json asks for something that pnpm-lock.yaml does not have.',
    needed: ({ pnpm }) => `A new lockfile: npx ${pnpm} install --no-frozen-lockfile`
  }
]

const unknown = {
  found: () => 'An error that this script does not know.',
  needed: ({ issues }) => `Another try. If it fails again, please report the lines above: ${issues}`
}

function network({ proxy, setProxy }) {
  return proxy === undefined
    ? `Access to the registry, for this installation only. Behind a proxy: ${setProxy('http://HOST:PORT')}`
    : `A proxy that answers: ${setProxy('http://HOST:PORT')}`
}

/**
 * Explains why an installation failed, and what it needs.
 * @param {string} output what npm and pnpm printed
 * @param {{ env?: NodeJS.ProcessEnv, issues: string, pnpm: string, size: string }} about where to report it, the version
 *   of pnpm, and the space needed on disk
 * @returns {{ found: string, needed: string }} a sentence each
 */
export function explain(output, { env = process.env, ...about }) {
  const { found, needed } = causes.find(({ signs }) => signs.test(output)) ?? unknown
  const registry = /https?:\/\/[^\s/"]+/.exec(output)?.[0] ?? 'The registry'
  const known = { ...about, ...proxyOf(env), registry }
  return { found: found(known), needed: needed(known) }
}

/** The configured proxy, without its password, and how to configure another one in the same place. */
function proxyOf({ HTTPS_PROXY, https_proxy, npm_config_https_proxy, npm_config_proxy }) {
  const fromEnvironment = HTTPS_PROXY || https_proxy
  const proxy = fromEnvironment || npm_config_https_proxy || npm_config_proxy || undefined
  return {
    proxy: proxy?.replace(/\/\/.*@/, '//'),
    setProxy: (url) => (fromEnvironment ? `HTTPS_PROXY=${url}` : `npm config set https-proxy ${url}`)
  }
}
