import { join } from 'node:path'

/** The page's files, served as they are. */
export const publicFolder: string = join(__dirname, '..', 'public')

/** The folder with the client library, for pages: an ES module without imports. */
export const clientFolder: string = join(__dirname, '..', 'node_modules', '@oneport', 'client', 'dist')

/** Its file in that folder. */
export const clientFile = 'index.mjs'

/** The name that a page has given itself, from the query of its URL. */
export const readPage = (name: unknown): string | undefined =>
  typeof name === 'string' && /^\w{1,64}$/.test(name) ? name : undefined

/** Whether a request is from a page of this server. Browsers send `Origin` with every POST. */
export const isOwnPage = (origin: string | undefined, host: string | undefined): boolean =>
  origin !== undefined && URL.canParse(origin) && new URL(origin).host === host

/** Header fields of every response, including the 101, which passes through middleware and hooks like any other. */
export const securityFields: Readonly<Record<string, string>> = {
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    // Includes the WebSocket, which has the same origin as the page.
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'"
  ].join('; '),
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff'
}
